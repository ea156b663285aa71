package verify

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// walk goes through the packed tables of a project together, series by series.
type walk struct {
	in      *store.Inspection
	report  *report
	blind   *blindness
	young   youngCheck
	chunks  chunkCheck
	rollups rollupCheck
	latest  latestCheck
	settled []reading.Reading // of the series, in rows of tier 2
	merged  []reading.Reading
	reached int64 // the last settled reading's time
}

func newWalk(in *store.Inspection, r *report, touched map[int64]bool) *walk {
	blind := &blindness{}
	months := map[time.Time]bool{}
	for _, m := range in.ChunkFrom {
		months[m.UTC()] = true
	}
	gone := func(day int64) bool { return time.UnixMicro(day).Before(in.KeptSince) || !months[month(day)] }
	return &walk{
		in: in, report: r, blind: blind,
		young:   youngCheck{report: r, in: in, blind: blind, runs: map[runKey]*runState{}},
		chunks:  chunkCheck{report: r, in: in, blind: blind},
		rollups: rollupCheck{report: r, in: in, blind: blind, gone: gone},
		latest:  latestCheck{report: r, in: in, blind: blind, touched: touched},
	}
}

func (w *walk) run(ctx context.Context) error {
	before := int64(math.MinInt64)
	for {
		series, ok, err := w.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			w.young.endBlock()
			return nil
		}
		if series > before {
			before = series
			err = w.series(ctx, series)
		} else { // a row says the wrong series, and lies in a wrong place therefore: it is looked at, and left
			err = w.young.open(ctx, before)
			w.young.of(before, func(store.YoungRow, []reading.Reading) {})
			w.young.close()
		}
		if err != nil {
			return err
		}
	}
}

// next returns the least series that any table has something of.
func (w *walk) next(ctx context.Context) (series int64, ok bool, err error) {
	least := func(s int64, has bool) {
		if has && (!ok || s < series) {
			series, ok = s, true
		}
	}
	least(w.young.next())
	first, has, err := w.young.peek(ctx)
	if err != nil {
		return 0, false, err
	}
	least(first, has)
	chunk, err := w.in.Chunks.Peek(ctx)
	if err != nil {
		return 0, false, err
	}
	if chunk != nil {
		least(chunk.Series, true)
	}
	for _, rows := range []*store.Scan[store.Rollup]{w.in.RollupDay, w.in.RollupHour} {
		rollup, err := rows.Peek(ctx)
		if err != nil {
			return 0, false, err
		}
		if rollup != nil {
			least(rollup.Series, true)
		}
	}
	latest, err := w.in.Latest.Peek(ctx)
	if err != nil {
		return 0, false, err
	}
	if latest != nil {
		least(latest.Series, true)
	}
	return series, ok, nil
}

// series looks at all that there is of one series.
func (w *walk) series(ctx context.Context, series int64) error {
	if err := w.young.open(ctx, series); err != nil {
		return err
	}
	w.rollups.begin(series)
	w.latest.begin()
	w.settled, w.reached = w.settled[:0], math.MinInt64
	w.young.of(series, func(row store.YoungRow, rs []reading.Reading) {
		if row.Tier == store.TierSettled {
			w.settled = append(w.settled, rs...)
		}
		w.latest.take(rs[len(rs)-1], row.Upto)
	})
	w.young.close()
	slices.SortStableFunc(w.settled, reading.Compare) // days may come in any order
	var failed error
	err := w.chunks.of(ctx, series, func(rs []reading.Reading) {
		w.latest.take(rs[len(rs)-1], -1)
		if failed == nil {
			failed = w.join(ctx, rs)
		}
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = w.give(ctx, w.settled)
	}
	if err == nil {
		err = w.rollups.end(ctx)
	}
	if err != nil {
		return err
	}
	return w.latest.end(ctx, series)
}

// join gives the readings of a chunk on, together with the settled young ones up to its end.
func (w *walk) join(ctx context.Context, rs []reading.Reading) error {
	end := rs[len(rs)-1].Time
	n := 0
	for n < len(w.settled) && w.settled[n].Time <= end {
		n++
	}
	if n == 0 {
		return w.give(ctx, rs)
	}
	w.merged = reading.Merge(w.merged[:0], rs, w.settled[:n])
	if twice := len(rs) + n - len(w.merged); twice > 0 {
		w.report.add("chunk", keyf("series %d, %s", rs[0].Series, span(rs[0].Time, end)), "readings are packed twice: in a chunk and in young",
			"0", number(twice))
	}
	w.settled = w.settled[n:]
	return w.give(ctx, w.merged)
}

// give passes settled readings on to the rollups, those of overlapping chunks but once.
func (w *walk) give(ctx context.Context, rs []reading.Reading) error {
	for len(rs) > 0 && rs[0].Time <= w.reached {
		rs = rs[1:]
	}
	if len(rs) == 0 {
		return nil
	}
	w.reached = rs[len(rs)-1].Time
	return w.rollups.take(ctx, rs)
}

// blindness is where payloads could not be read: what is computed from them says nothing there.
type blindness struct{ spots []spot }

type spot struct{ first, last, from, to int64 }

func (b *blindness) add(first, last, from, to int64) {
	b.spots = append(b.spots, spot{first, last, from, to})
}

// on reports whether something of a series between from and to (µs) could not be read.
func (b *blindness) on(series, from, to int64) bool {
	return slices.ContainsFunc(b.spots, func(s spot) bool {
		return s.first <= series && series <= s.last && s.from < to && from < s.to
	})
}
