package pack

import (
	"cmp"
	"context"
	"maps"
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
	w.news = b.newest(w.news[:0])
	if len(b.deletions) > 0 {
		if err := w.lookBehind(ctx, tx, project, b); err != nil {
			return err
		}
	}
	return store.PackLatest(ctx, tx, project, b.upto, w.news)
}

// newest appends the newest reading of each series of the batch, by series.
func (b *batch) newest(news []store.PackedNewest) []store.PackedNewest {
	for i := range b.readings {
		if i+1 == len(b.readings) || b.readings[i+1].Series != b.readings[i].Series {
			news = append(news, store.PackedNewest{Reading: b.readings[i]})
		}
	}
	return news
}

// lookBehind finds out what is newest of the series of which something was deleted.
func (w *worker) lookBehind(ctx context.Context, tx pgx.Tx, project int64, b *batch) error {
	gone := rangesOf(b.deletions)
	known, err := store.LatestOf(ctx, tx, project, slices.Collect(maps.Keys(gone)))
	if err != nil {
		return err
	}
	was := make(map[int64]store.Newest, len(known))
	for _, k := range known {
		was[k.Series] = k
	}
	batch := w.news
	for series, r := range gone {
		place, of := slices.BinarySearchFunc(batch, series, func(n store.PackedNewest, series int64) int {
			return cmp.Compare(n.Reading.Series, series)
		})
		if !of {
			place = len(w.news)
			w.news = append(w.news, store.PackedNewest{Reading: reading.Reading{Series: series}, None: true})
		}
		now := &w.news[place]
		now.Certain = true
		if old, is := was[series]; is && !old.None && old.Offset < b.upto {
			if err := w.compare(ctx, tx, project, now, old, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare makes now what is newest of what the batch has and what there was before it: what the table said, unless that is
// gone, and then what is packed.
func (w *worker) compare(
	ctx context.Context, tx pgx.Tx, project int64, now *store.PackedNewest, was store.Newest, gone ranges,
) error {
	switch {
	case !gone.cover(was.Time):
		improve(now, reading.Reading{Series: was.Series, Time: was.Time, Value: was.Value})
	case !gone.everything():
		r, ok, err := w.newestPacked(ctx, tx, project, was.Series)
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
func improve(now *store.PackedNewest, r reading.Reading) {
	if now.None || r.Time > now.Reading.Time {
		now.Reading, now.None = r, false
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
