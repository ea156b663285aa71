package pack

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// youngPage is how many rows are looked at for their deletion before what has changed is written, give or take a run.
const youngPage = 256

// deleteYoung rewrites the young rows of one block that hold something that is gone of its series, which ascend.
func (w *worker) deleteYoung(ctx context.Context, tx pgx.Tx, project int64, series []int64, gone map[int64]ranges) error {
	from, to := gone[series[0]][0].from, gone[series[0]][0].to
	for _, s := range series {
		r := gone[s]
		from, to = min(from, r[0].from), max(to, r[len(r)-1].to)
	}
	low, high := series[0], series[len(series)-1]
	rows, err := store.FindYoungOf(ctx, tx, project, store.YoungBlock(low), low, high, from, to)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r store.YoungRow) bool { return !touches(r, series, gone) })
	slices.SortFunc(rows, byRun)
	for len(rows) > 0 {
		n := wholeRuns(rows, youngPage)
		if err := w.deleteFrom(ctx, tx, project, rows[:n], gone); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// byRun puts the rows of a block in the order of their runs, and of a run in that of their parts.
func byRun(a, b store.YoungRow) int {
	return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Upto, b.Upto), cmp.Compare(a.Part, b.Part))
}

func sameRun(a, b store.YoungRow) bool { return a.Upto == b.Upto && a.Day.Equal(b.Day) }

// wholeRuns returns how many of the rows, by run, are the first runs that have at least so many rows together, or all.
func wholeRuns(rows []store.YoungRow, least int) int {
	n := min(least, len(rows))
	for n < len(rows) && sameRun(rows[n-1], rows[n]) {
		n++
	}
	return n
}

// deleteFrom takes what is gone out of rows: of each of their runs all that may hold some of it.
func (w *worker) deleteFrom(ctx context.Context, tx pgx.Tx, project int64, rows []store.YoungRow, gone map[int64]ranges) error {
	var changed []store.YoungRow
	err := store.ReadYoung(ctx, tx, project, rows, func(i int, payload []byte) error {
		rs, err := decodeRow(w.sweep.buffer(), &rows[i], payload)
		if err != nil {
			return err
		}
		if left := remove(rs, gone); len(left) < rows[i].Count {
			changed = append(changed, w.segments.rewrite(rows[i], left))
		}
		w.sweep.free = append(w.sweep.free, rs)
		return nil
	})
	if err != nil {
		return err
	}
	return w.replaceYoung(ctx, tx, project, changed)
}

// touches reports whether the row may hold something that is gone.
func touches(r store.YoungRow, series []int64, gone map[int64]ranges) bool {
	i, _ := slices.BinarySearch(series, r.FirstSeries)
	for ; i < len(series) && series[i] <= r.LastSeries; i++ {
		if gone[series[i]].reach(r.FirstTime, r.LastTime) {
			return true
		}
	}
	return false
}

// rewrite returns the row with other readings; without a payload when there are none.
func (s *segmenter) rewrite(row store.YoungRow, rs []reading.Reading) store.YoungRow {
	if len(rs) == 0 {
		row.Count, row.Payload = 0, nil
		return row
	}
	part, parts := row.Part, row.Parts
	s.begin(run{row.Day, row.Block, row.Since, row.Upto, row.Tier}, len(rs))
	s.row(rs)
	changed := s.rows[0]
	changed.At, changed.Part, changed.Parts = row.At, part, parts
	return changed
}

// replaceYoung puts the changed rows of a block in the place of the old ones. Where one has nothing left, the others of its
// run are numbered anew, so that its parts are without a hole.
func (w *worker) replaceYoung(ctx context.Context, tx pgx.Tx, project int64, changed []store.YoungRow) error {
	if err := store.DropYoung(ctx, tx, project, changed); err != nil {
		return err
	}
	slices.SortFunc(changed, byRun)
	for rest := changed; len(rest) > 0; {
		n := wholeRuns(rest, 1)
		run := rest[:n]
		rest = rest[n:]
		if slices.ContainsFunc(run, isEmpty) {
			if err := w.closeGaps(ctx, tx, project, run); err != nil {
				return err
			}
		}
	}
	w.queueYoung(slices.DeleteFunc(changed, isEmpty))
	return w.flushYoung(ctx, tx, project)
}

func isEmpty(r store.YoungRow) bool { return r.Count == 0 }

// closeGaps numbers the rows of a run anew: those that have changed, which are to be written, and the others, which stand.
func (w *worker) closeGaps(ctx context.Context, tx pgx.Tx, project int64, changed []store.YoungRow) error {
	of := changed[0]
	others, err := store.FindYoung(ctx, tx, project, of.Day, of.Day, of.Block, of.Tier)
	if err != nil {
		return err
	}
	others = slices.DeleteFunc(others, func(r store.YoungRow) bool { return r.Upto != of.Upto })
	slices.SortFunc(others, byRun)
	number(changed, others)
	return store.RenumberYoung(ctx, tx, project, others)
}

// number gives the rows of a run, which are of two kinds, each in order, and of which the empty ones do not count, their
// numbers.
func number(some, others []store.YoungRow) {
	var all []*store.YoungRow
	for _, rows := range [][]store.YoungRow{some, others} {
		for i := range rows {
			if !isEmpty(rows[i]) {
				all = append(all, &rows[i])
			}
		}
	}
	slices.SortFunc(all, func(a, b *store.YoungRow) int { return a.Part - b.Part })
	for i, r := range all {
		r.Part, r.Parts = i+1, len(all)
	}
}
