package verify

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Lengths of time in µs.
const (
	hourLen = int64(3600) * 1_000_000
	dayLen  = 24 * hourLen
)

// youngPage is how many payloads are fetched at once.
const youngPage = 32

// youngCheck looks at the rows of young in the order of their first series, and keeps those that are not behind yet.
type youngCheck struct {
	*report
	in     *store.Inspection
	blind  *blindness
	page   []store.YoungRow // fetched, and not looked at yet
	active []youngRow       // those whose last series may still come
	free   [][]reading.Reading
	block  int64
	runs   map[runKey]*runState // of block, by where rows begin
}

type youngRow struct {
	store.YoungRow
	rest []reading.Reading // of series that have not come yet
	buf  []reading.Reading
}

// runKey names a run of a block.
type runKey struct{ block, day, upto int64 } // day in µs

type runState struct {
	since       int64
	tier        int16
	part, parts int
	last        reading.Reading
	readable    bool // last is known
}

// peek returns the first series of the next row.
func (c *youngCheck) peek(ctx context.Context) (series int64, ok bool, err error) {
	if len(c.page) > 0 {
		return c.page[0].FirstSeries, true, nil
	}
	for len(c.page) < youngPage {
		key, err := c.in.Young.Peek(ctx)
		if err != nil {
			return 0, false, err
		}
		if key == nil {
			break
		}
		c.page = append(c.page, *key)
		c.in.Young.Next()
	}
	if len(c.page) == 0 {
		return 0, false, nil
	}
	return c.page[0].FirstSeries, true, c.in.Payloads(ctx, c.page)
}

// open takes in the rows whose first series is at most series.
func (c *youngCheck) open(ctx context.Context, series int64) error {
	for {
		first, ok, err := c.peek(ctx)
		if err != nil || !ok || first > series {
			return err
		}
		row := c.page[0]
		c.page = c.page[1:]
		if err := c.read(len(row.Payload)); err != nil {
			return err
		}
		if block := store.YoungBlock(row.FirstSeries); block != c.block {
			c.endBlock()
			c.block = block
		}
		c.take(row)
	}
}

// take looks at a row.
func (c *youngCheck) take(row store.YoungRow) {
	var buf []reading.Reading
	if n := len(c.free); n > 0 {
		buf, c.free = c.free[n-1], c.free[:n-1]
	}
	rs, err := reading.Decode(buf[:0], row.Payload)
	switch {
	case err == nil && len(rs) == 0:
		err = errors.New("no readings")
	case err == nil && !ascending(rs):
		err = errors.New("readings out of order")
	}
	c.run(row, rs, err == nil)
	if err != nil {
		c.add("young", youngKey(row), "the row cannot be read", "its readings", err.Error())
		c.blind.add(row.FirstSeries, row.LastSeries, row.Day.UnixMicro(), row.Day.UnixMicro()+dayLen)
		return
	}
	c.header(row, rs)
	row.Payload = nil
	c.active = append(c.active, youngRow{row, rs, rs})
}

// header compares a row with its bytes.
func (c *youngCheck) header(row store.YoungRow, rs []reading.Reading) {
	key := youngKey(row)
	wrong := func(problem, expected, found string) { c.add("young", key, problem, expected, found) }
	first, last := rs[0].Time, rs[0].Time
	for _, r := range rs {
		first, last = min(first, r.Time), max(last, r.Time)
	}
	lowest, highest := rs[0].Series, rs[len(rs)-1].Series
	if row.Count != len(rs) {
		wrong("the row has another count", number(len(rs)), number(row.Count))
	}
	if row.FirstSeries != lowest {
		wrong("the row begins with another series", number(lowest), number(row.FirstSeries))
	}
	if row.LastSeries != highest {
		wrong("the row ends with another series", number(highest), number(row.LastSeries))
	}
	if row.FirstTime != first {
		wrong("the row begins at another time", at(first), at(row.FirstTime))
	}
	if row.LastTime != last {
		wrong("the row ends at another time", at(last), at(row.LastTime))
	}
	if day := row.Day.UnixMicro(); first < day || last >= day+dayLen {
		wrong("the row has readings of another day", row.Day.Format(time.DateOnly), span(first, last))
	}
	if store.YoungBlock(lowest) != row.Block || store.YoungBlock(highest) != row.Block {
		wrong("the row has series of another block", number(row.Block), number(store.YoungBlock(lowest))+" to "+number(store.YoungBlock(highest)))
	}
	if row.Upto > c.in.PackedTo {
		wrong("the row holds entries that are not packed", "up to "+number(c.in.PackedTo), number(row.Upto))
	}
	if row.Since >= row.Upto {
		wrong("the row holds no entries", "less than "+number(row.Upto), "since "+number(row.Since))
	}
	if row.Tier < store.TierPacked || row.Tier > store.TierSettled {
		wrong("the row is of an unknown tier", "0 to 2", number(row.Tier))
	}
}

// run looks at a row as a part of its run.
func (c *youngCheck) run(row store.YoungRow, rs []reading.Reading, readable bool) {
	key := runKey{row.Block, row.Day.UnixMicro(), row.Upto}
	s := c.runs[key]
	if s == nil {
		s = &runState{since: row.Since, tier: row.Tier, parts: row.Parts}
		c.runs[key] = s
	}
	where := youngKey(row)
	if row.Since != s.since || row.Tier != s.tier || row.Parts != s.parts {
		c.add("young", where, "the parts of a run do not agree on since, tier and parts",
			keyf("%d, %d, %d", s.since, s.tier, s.parts), keyf("%d, %d, %d", row.Since, row.Tier, row.Parts))
	}
	if row.Part != s.part+1 {
		c.add("young", where, "a part of the run is missing", number(s.part+1), number(row.Part))
	}
	s.part = row.Part
	if readable {
		if s.readable && reading.Compare(s.last, rs[0]) >= 0 {
			c.add("young", where, "the part overlaps the one before it", "behind it", "before its end")
		}
		s.last = rs[len(rs)-1]
	}
	s.readable = readable
}

// endBlock looks at the runs of a block together.
func (c *youngCheck) endBlock() {
	keys := slices.SortedFunc(maps.Keys(c.runs), func(a, b runKey) int {
		return cmp.Or(cmp.Compare(a.block, b.block), cmp.Compare(a.day, b.day), cmp.Compare(a.upto, b.upto))
	})
	var before runKey
	var upto int64
	settled := false
	for i, k := range keys {
		s := c.runs[k]
		where := keyf("day %s, block %d, upto %d", time.UnixMicro(k.day).UTC().Format(time.DateOnly), k.block, k.upto)
		if s.part != s.parts {
			c.add("young", where, "the last parts of the run are missing", number(s.parts)+" parts", number(s.part))
		}
		if i == 0 || k.block != before.block || k.day != before.day {
			before, upto, settled = k, -1, false
		}
		switch {
		case s.tier == store.TierSettled && settled:
			c.add("young", where, "a day has two settled runs", "one", "two")
		case s.tier == store.TierSettled:
			settled = true
		case s.since < upto:
			c.add("young", where, "runs hold the same entries", "since "+number(upto)+" or later", number(s.since))
		}
		if s.tier != store.TierSettled {
			upto = k.upto
		}
	}
	clear(c.runs)
}

// next returns the least series of the rows that are open.
func (c *youngCheck) next() (series int64, ok bool) {
	for _, row := range c.active {
		if len(row.rest) > 0 && (!ok || row.rest[0].Series < series) {
			series, ok = row.rest[0].Series, true
		}
	}
	return series, ok
}

// of calls use with the readings that each open row has of series, and goes behind them.
func (c *youngCheck) of(series int64, use func(row store.YoungRow, rs []reading.Reading)) {
	for i := range c.active {
		row := &c.active[i]
		from, _ := slices.BinarySearchFunc(row.rest, series, bySeries)
		to, _ := slices.BinarySearchFunc(row.rest, series+1, bySeries)
		if to > from {
			use(row.YoungRow, row.rest[from:to])
		}
		row.rest = row.rest[to:]
	}
}

// close lets go of the rows that have nothing left.
func (c *youngCheck) close() {
	c.active = slices.DeleteFunc(c.active, func(row youngRow) bool {
		if len(row.rest) == 0 {
			c.free = append(c.free, row.buf)
		}
		return len(row.rest) == 0
	})
}

func bySeries(r reading.Reading, series int64) int { return cmp.Compare(r.Series, series) }

func youngKey(r store.YoungRow) string {
	return keyf("day %s, block %d, first_series %d, upto %d, part %d", r.Day.Format(time.DateOnly), r.Block, r.FirstSeries, r.Upto, r.Part)
}
