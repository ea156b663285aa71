package verify

import (
	"bytes"
	"context"
	"math"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// rollupCheck compares the rollups of one series after the other with its settled readings, which come in order of time.
type rollupCheck struct {
	*report
	in    *store.Inspection
	blind *blindness
	gone  func(day int64) bool // retention may have dropped readings of the day

	series int64
	day    int64 // of open
	open   []reading.Reading
}

func (c *rollupCheck) begin(series int64) { c.series, c.open = series, c.open[:0] }

// take takes the next settled readings of the series.
func (c *rollupCheck) take(ctx context.Context, rs []reading.Reading) error {
	for len(rs) > 0 {
		if day := floorDay(rs[0].Time); len(c.open) == 0 || day != c.day {
			if err := c.endDay(ctx); err != nil {
				return err
			}
			c.day = day
		}
		n := 1
		for n < len(rs) && rs[n].Time < c.day+dayLen {
			n++
		}
		c.open = append(c.open, rs[:n]...)
		rs = rs[n:]
	}
	return nil
}

// end ends the series: rollups that are left have no readings.
func (c *rollupCheck) end(ctx context.Context) error {
	if err := c.endDay(ctx); err != nil {
		return err
	}
	if err := c.surplus(ctx, c.in.RollupDay, "rollup_day", math.MaxInt64); err != nil {
		return err
	}
	return c.surplus(ctx, c.in.RollupHour, "rollup_hour", math.MaxInt64)
}

// endDay compares the rollups of the open day.
func (c *rollupCheck) endDay(ctx context.Context) error {
	if len(c.open) == 0 {
		return nil
	}
	if c.skips(c.day) {
		c.open = c.open[:0]
		return nil
	}
	day, hours := pack.Rollups(c.open)
	c.open = c.open[:0]
	if err := c.expect(ctx, c.in.RollupDay, "rollup_day", day); err != nil {
		return err
	}
	for _, hour := range hours {
		if err := c.expect(ctx, c.in.RollupHour, "rollup_hour", hour); err != nil {
			return err
		}
	}
	return c.surplus(ctx, c.in.RollupHour, "rollup_hour", c.day+dayLen)
}

// skips reports whether nothing can be said of a day's rollups.
func (c *rollupCheck) skips(day int64) bool {
	return c.gone(day) || c.blind.on(c.series, day, day+dayLen)
}

// expect compares the rollup that is next in its table.
func (c *rollupCheck) expect(ctx context.Context, rows *store.Scan[store.Rollup], table string, want store.Rollup) error {
	if err := c.surplus(ctx, rows, table, want.Start); err != nil {
		return err
	}
	got, err := rows.Peek(ctx)
	if err != nil {
		return err
	}
	if got == nil || got.Series != c.series || got.Start != want.Start {
		c.add(table, c.key(want.Start), "a rollup is missing", number(want.Count)+" readings", "no row")
		return nil
	}
	if field, expected, found := difference(want, *got); field != "" {
		c.add(table, c.key(want.Start), "the rollup has another "+field, expected, found)
	}
	return c.done(rows)
}

// surplus goes over the rollups of the series before a time: there are no readings for them.
func (c *rollupCheck) surplus(ctx context.Context, rows *store.Scan[store.Rollup], table string, before int64) error {
	for {
		got, err := rows.Peek(ctx)
		if err != nil || got == nil || got.Series > c.series || got.Series == c.series && got.Start >= before {
			return err
		}
		if !c.skips(floorDay(got.Start)) {
			c.add(table, keyf("series %d, start %s", got.Series, at(got.Start)), "a rollup is too many", "no row", number(got.Count)+" readings")
		}
		if err := c.done(rows); err != nil {
			return err
		}
	}
}

func (c *rollupCheck) done(rows *store.Scan[store.Rollup]) error {
	row, _ := rows.Peek(context.Background()) // it is there
	size := len(row.Sketch)
	rows.Next()
	return c.read(size)
}

func (c *rollupCheck) key(start int64) string {
	return keyf("series %d, start %s", c.series, at(start))
}

// difference returns the first field in which a rollup is not what it must be, bit by bit; "" when there is none.
func difference(want, got store.Rollup) (field, expected, found string) {
	if want.Count != got.Count {
		return "count", number(want.Count), number(got.Count)
	}
	for _, f := range []struct {
		name      string
		want, got float64
	}{
		{"sum", want.Sum, got.Sum},
		{"m2", want.M2, got.M2},
		{"min", want.Min, got.Min},
		{"max", want.Max, got.Max},
		{"first", want.First, got.First},
		{"last", want.Last, got.Last},
	} {
		if math.Float64bits(f.want) != math.Float64bits(f.got) {
			return f.name, keyf("%v", f.want), keyf("%v", f.got)
		}
	}
	for _, f := range []struct {
		name      string
		want, got float64
	}{
		{"area", want.Area, got.Area},
		{"increase", want.Increase, got.Increase},
	} {
		if !math.IsNaN(f.got) && math.Float64bits(f.want) != math.Float64bits(f.got) { // NaN: written before there was such a column
			return f.name, keyf("%v", f.want), keyf("%v", f.got)
		}
	}
	switch {
	case want.FirstAt != got.FirstAt:
		return "first_at", at(want.FirstAt), at(got.FirstAt)
	case want.LastAt != got.LastAt:
		return "last_at", at(want.LastAt), at(got.LastAt)
	case !bytes.Equal(want.Sketch, got.Sketch) && (len(got.Sketch) > 0 || want.Count >= pack.SketchMin): // none: written before there were small ones
		return "sketch", number(len(want.Sketch)) + " bytes", number(len(got.Sketch)) + " bytes, or others"
	}
	return "", "", ""
}

func floorDay(t int64) int64 {
	day := t - t%dayLen
	if day > t {
		day -= dayLen
	}
	return day
}
