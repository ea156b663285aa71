package pack

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// youngPage is how many rows are read at once for their deletion.
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
	changed := make(map[pgtype.TID]store.YoungRow)
	for page := range slices.Chunk(rows, youngPage) {
		err := store.ReadYoung(ctx, tx, project, page, func(i int, payload []byte) error {
			rs, err := decodeRow(w.sweep.buffer(), &page[i], payload)
			if err != nil {
				return err
			}
			if left := remove(rs, gone); len(left) < page[i].Count {
				changed[page[i].At] = w.segments.rewrite(page[i], left)
			}
			w.sweep.free = append(w.sweep.free, rs)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return w.rewriteRuns(ctx, tx, project, changed)
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

// rewriteRuns puts the changed rows in the place of the old ones. When one has nothing left, its whole run is written anew,
// so that its parts are without a hole.
func (w *worker) rewriteRuns(ctx context.Context, tx pgx.Tx, project int64, changed map[pgtype.TID]store.YoungRow) error {
	type key struct {
		day  time.Time
		upto int64
	}
	runs, holes := make(map[key][]store.YoungRow), make(map[key]bool)
	for _, r := range changed {
		k := key{r.Day, r.Upto}
		runs[k] = append(runs[k], r)
		holes[k] = holes[k] || r.Count == 0
	}
	for k, rows := range runs {
		if holes[k] {
			others, err := w.restOfRun(ctx, tx, project, rows)
			if err != nil {
				return err
			}
			rows = append(rows, others...)
		}
		if err := store.DropYoung(ctx, tx, project, rows); err != nil {
			return err
		}
		if holes[k] {
			rows = renumber(rows)
		}
		w.queueYoung(rows)
	}
	return nil
}

// restOfRun returns, with their payloads, the rows of the run that rows belong to and that are not among these.
func (w *worker) restOfRun(ctx context.Context, tx pgx.Tx, project int64, rows []store.YoungRow) ([]store.YoungRow, error) {
	first := rows[0]
	all, err := store.FindYoung(ctx, tx, project, first.Day, first.Day, first.Block, first.Tier)
	if err != nil {
		return nil, err
	}
	have := make(map[pgtype.TID]bool)
	for _, r := range rows {
		have[r.At] = true
	}
	all = slices.DeleteFunc(all, func(r store.YoungRow) bool { return r.Upto != first.Upto || have[r.At] })
	err = store.ReadYoung(ctx, tx, project, all, func(i int, payload []byte) error {
		all[i].Payload = slices.Clone(payload)
		return nil
	})
	return all, err
}

// renumber returns the rows of a run that have readings, in order and numbered.
func renumber(rows []store.YoungRow) []store.YoungRow {
	rows = slices.DeleteFunc(rows, func(r store.YoungRow) bool { return r.Count == 0 })
	slices.SortFunc(rows, func(a, b store.YoungRow) int { return a.Part - b.Part })
	for i := range rows {
		rows[i].Part, rows[i].Parts = i+1, len(rows)
	}
	return rows
}
