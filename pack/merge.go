package pack

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// merge makes one run of the runs of tier 0 that a block has on a day, the oldest first, as many as may be in memory. When
// somebody else is at the project, it returns errBusy.
func (w *worker) merge(ctx context.Context, project int64, b store.DayBlock) error {
	return w.transaction(ctx, project, func(tx pgx.Tx) error {
		rows, err := store.FindYoung(ctx, tx, project, b.Day, b.Day, b.Block, store.TierPacked)
		if err != nil {
			return err
		}
		rows, runs := oldest(rows, w.sizes.Merge)
		if runs < 2 {
			return nil
		}
		return w.mergeRows(ctx, tx, project, b.Day, rows, store.TierMerged)
	})
}

// oldest returns the rows of the oldest runs that have most readings together, and how many runs these are.
func oldest(rows []store.YoungRow, most int) (taken []store.YoungRow, runs int) {
	slices.SortFunc(rows, func(a, b store.YoungRow) int { return cmp.Compare(a.Upto, b.Upto) })
	end, readings := 0, 0
	for i := range rows {
		if readings += rows[i].Count; readings > most {
			break
		}
		if i+1 == len(rows) || rows[i+1].Upto != rows[i].Upto {
			end = i + 1
			runs++
		}
	}
	return rows[:end], runs
}

// mergeRows replaces rows, which are whole runs of one block and day, by one run.
func (w *worker) mergeRows(ctx context.Context, tx pgx.Tx, project int64, day time.Time, rows []store.YoungRow, tier int16) error {
	w.segments.begin(spanOf(rows, tier), w.sizes.Row)
	if err := w.sweep.run(ctx, tx, project, rows, segmentSink{&w.segments}); err != nil {
		return err
	}
	if err := store.DropYoung(ctx, tx, project, rows); err != nil {
		return err
	}
	w.queueYoung(w.segments.finish())
	return w.flushYoung(ctx, tx, project)
}

// spanOf returns the run that takes the place of those of the rows, which are of one block and day.
func spanOf(rows []store.YoungRow, tier int16) run {
	r := run{rows[0].Day, rows[0].Block, rows[0].Since, rows[0].Upto, tier}
	for i := range rows {
		r.since, r.upto = min(r.since, rows[i].Since), max(r.upto, rows[i].Upto)
	}
	return r
}

// segmentSink puts all readings into young rows.
type segmentSink struct{ *segmenter }

func (s segmentSink) take(_ context.Context, _ int64, rs []reading.Reading, _ bool) error {
	s.add(rs)
	return nil
}
