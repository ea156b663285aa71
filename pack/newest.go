package pack

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// writeLatest brings table latest up to date with the batch, as of its last offset.
//
// A series of which something was deleted gets a row in any case: whoever still has older news of it finds a higher offset.
func (w *worker) writeLatest(ctx context.Context, tx pgx.Tx, project int64, b *batch) error {
	newest, gone := b.newest(), rangesOf(b.deletions)
	series := make([]int64, 0, len(newest)+len(gone))
	for _, r := range newest {
		series = append(series, r.Series)
	}
	for s := range gone {
		series = append(series, s)
	}
	slices.Sort(series)
	series = slices.Compact(series)
	known, err := store.LatestOf(ctx, tx, project, series)
	if err != nil {
		return err
	}
	slices.SortFunc(known, func(a, b store.Newest) int { return cmp.Compare(a.Series, b.Series) })
	var news []store.Newest
	for _, s := range series {
		now, was := store.Newest{Project: project, Series: s, Offset: b.upto, None: true}, (*store.Newest)(nil)
		if len(newest) > 0 && newest[0].Series == s {
			improve(&now, newest[0])
			newest = newest[1:]
		}
		if len(known) > 0 && known[0].Series == s {
			was, known = &known[0], known[1:]
		}
		if err := w.compare(ctx, tx, &now, was, gone[s]); err != nil {
			return err
		}
		if same := was != nil && was.None == now.None && was.Time == now.Time && was.Value == now.Value; !same || gone[s] != nil {
			news = append(news, now)
		}
	}
	return store.PutLatest(ctx, tx, news)
}

// newest returns the newest reading of each series of the batch, by series.
func (b *batch) newest() (rs []reading.Reading) {
	for i, r := range b.readings {
		if i+1 == len(b.readings) || b.readings[i+1].Series != r.Series {
			rs = append(rs, r)
		}
	}
	return rs
}

// compare makes now what is newest of what the batch has and what there was before it: what the table said, unless that is
// gone, and then what is packed.
func (w *worker) compare(ctx context.Context, tx pgx.Tx, now, was *store.Newest, gone ranges) error {
	switch {
	case was == nil || was.None || was.Offset >= now.Offset:
	case !gone.cover(was.Time):
		improve(now, reading.Reading{Time: was.Time, Value: was.Value})
	case !gone.everything():
		r, ok, err := w.newestPacked(ctx, tx, now.Project, now.Series)
		if err != nil {
			return err
		}
		if ok {
			improve(now, r)
		}
	}
	return nil
}

// improve makes now say r if that is newer; of the same time what it says is right.
func improve(now *store.Newest, r reading.Reading) {
	if now.None || r.Time > now.Time {
		now.Time, now.Value, now.None = r.Time, r.Value, false
	}
}

// newestPacked returns the newest packed reading of a series.
func (w *worker) newestPacked(ctx context.Context, tx pgx.Tx, project, series int64) (best reading.Reading, ok bool, err error) {
	key, ok, err := store.NewestChunk(ctx, tx, project, series)
	if err != nil {
		return best, false, err
	}
	if ok {
		rs, err := w.out.load(ctx, nil, key)
		if err != nil {
			return best, false, err
		}
		best = rs[len(rs)-1]
	}
	rows, err := store.FindYoungOf(ctx, tx, project, store.YoungBlock(series), series, series, math.MinInt64, math.MaxInt64)
	if err != nil {
		return best, false, err
	}
	slices.SortFunc(rows, func(a, b store.YoungRow) int {
		return cmp.Or(cmp.Compare(b.LastTime, a.LastTime), cmp.Compare(b.Upto, a.Upto))
	})
	upto := int64(-1) // of best's run; a chunk is older than all
	for i, row := range rows {
		if ok && row.LastTime < best.Time {
			break
		}
		err := store.ReadYoung(ctx, tx, project, rows[i:i+1], func(_ int, payload []byte) error {
			rs, err := decodeRow(w.sweep.buffer(), &row, payload)
			if own := ofSeries(rs, series); len(own) > 0 {
				last := own[len(own)-1]
				if !ok || last.Time > best.Time || last.Time == best.Time && row.Upto > upto {
					best, upto, ok = last, row.Upto, true
				}
			}
			w.sweep.free = append(w.sweep.free, rs)
			return err
		})
		if err != nil {
			return best, false, err
		}
	}
	return best, ok, nil
}
