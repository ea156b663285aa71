package pack

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// deletePacked takes what the deletions of the batch cover out of what is packed: young rows, chunks and rollups. All that is
// packed came before the batch, so their order does not matter.
func (w *worker) deletePacked(ctx context.Context, tx pgx.Tx, project int64, b *batch) error {
	if len(b.deletions) == 0 {
		return nil
	}
	gone := rangesOf(b.deletions)
	series := slices.Sorted(maps.Keys(gone))
	for rest := series; len(rest) > 0; {
		block := store.YoungBlock(rest[0])
		n, _ := slices.BinarySearch(rest, (block+1)*store.BlockSeries)
		if err := w.deleteYoung(ctx, tx, project, rest[:n], gone); err != nil {
			return err
		}
		rest = rest[n:]
	}
	var whole []int64
	var spans []store.SeriesSpan
	for _, s := range series {
		if gone[s].everything() {
			whole = append(whole, s)
			continue
		}
		for _, g := range gone[s] {
			spans = append(spans, store.SeriesSpan{Series: s, From: g.from, To: g.to})
		}
	}
	if err := store.DropChunksOf(ctx, tx, project, whole); err != nil {
		return err
	}
	if err := store.DropRollupsOf(ctx, tx, project, whole); err != nil || len(spans) == 0 {
		return err
	}
	if err := w.deleteChunks(ctx, tx, project, spans, gone); err != nil {
		return err
	}
	return w.rollAgain(ctx, tx, project, spans, gone)
}

// remove returns the readings that are not gone, in the same memory.
func remove(rs []reading.Reading, gone map[int64]ranges) []reading.Reading {
	if len(gone) == 0 {
		return rs
	}
	var series int64
	var r ranges
	return slices.DeleteFunc(rs, func(v reading.Reading) bool {
		if v.Series != series || r == nil {
			series, r = v.Series, gone[v.Series]
		}
		return r.cover(v.Time)
	})
}

// deleteChunks rewrites the chunks that reach into the spans.
func (w *worker) deleteChunks(
	ctx context.Context, tx pgx.Tx, project int64, spans []store.SeriesSpan, gone map[int64]ranges,
) error {
	keys, err := store.FindChunksIn(ctx, tx, project, spans)
	if err != nil {
		return err
	}
	keys = slices.CompactFunc(keys, func(a, b store.ChunkKey) bool { return a.Version == b.Version })
	var partly []store.ChunkKey
	for _, k := range keys {
		if gone[k.Series].coverAll(k.First, k.Last) {
			w.out.replace(k)
		} else {
			partly = append(partly, k)
		}
	}
	for page := range slices.Chunk(partly, feedPage) {
		left := make([][]reading.Reading, len(page))
		err := store.ReadChunks(ctx, tx, project, page, func(i int, payload []byte) error {
			rs, err := decodeChunk(nil, page[i], payload)
			left[i] = remove(rs, gone)
			return err
		})
		if err != nil {
			return err
		}
		for i, rs := range left {
			if len(rs) == page[i].Count {
				continue
			}
			w.out.replace(page[i])
			if len(rs) > 0 {
				if err := w.out.chunk(ctx, rs); err != nil {
					return err
				}
			}
		}
	}
	return w.out.flush(ctx)
}

// rollAgain computes the rollups of days anew that the spans reach into. Where readings have gone by age, rollups go only
// with the whole day: of what was there they say more than what is left could.
func (w *worker) rollAgain(
	ctx context.Context, tx pgx.Tx, project int64, spans []store.SeriesSpan, gone map[int64]ranges,
) error {
	days, err := store.RolledDays(ctx, tx, project, spans)
	if err != nil || len(days) == 0 {
		return err
	}
	since, err := store.SettledSince(ctx, tx, project, firstOpenDay(time.Now()))
	if err != nil {
		return err
	}
	for _, d := range days {
		whole := gone[d.Series].coverAll(d.Start, d.Start+dayLen-1)
		if !whole && dateOf(d.Start).Before(since) {
			continue
		}
		w.settler.roller.begin(d.Series, d.Start)
		if !whole {
			if err := w.roll(ctx, tx, project, d); err != nil {
				return err
			}
		}
		day, hours := w.settler.roller.finish()
		if err := w.out.rollups(ctx, day, hours); err != nil {
			return err
		}
	}
	return w.out.flush(ctx)
}

// roll gives all that is settled of a series on a day to the roller.
func (w *worker) roll(ctx context.Context, tx pgx.Tx, project int64, d store.SeriesDay) error {
	few, err := w.settledOf(ctx, tx, project, d)
	if err != nil {
		return err
	}
	keys, err := store.FindChunksIn(ctx, tx, project, spansOf([]int64{d.Series}, d.Start, d.Start+dayLen))
	if err != nil {
		return err
	}
	s := &w.settler
	s.feed.begin(&w.out, keys, true)
	for _, k := range keys {
		if s.kept, err = s.feed.load(ctx, s.kept[:0], k); err != nil {
			return err
		}
		n := search(few, k.Last+1)
		s.merged = reading.Merge(s.merged[:0], s.kept, few[:n])
		s.roller.add(s.merged)
		few = few[n:]
	}
	s.roller.add(few)
	return nil
}

// settledOf returns what the settled young rows hold of a series on a day.
func (w *worker) settledOf(ctx context.Context, tx pgx.Tx, project int64, d store.SeriesDay) (few []reading.Reading, err error) {
	day := dateOf(d.Start)
	rows, err := store.FindYoung(ctx, tx, project, day, day, store.YoungBlock(d.Series), store.TierSettled)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r store.YoungRow) bool { return d.Series < r.FirstSeries || d.Series > r.LastSeries })
	slices.SortFunc(rows, func(a, b store.YoungRow) int { return a.Part - b.Part })
	found := make([][]reading.Reading, len(rows))
	err = store.ReadYoung(ctx, tx, project, rows, func(i int, payload []byte) error {
		rs, err := decodeRow(nil, &rows[i], payload)
		found[i] = ofSeries(rs, d.Series)
		return err
	})
	return slices.Concat(found...), err
}

// ofSeries returns those of sorted readings that are of the series.
func ofSeries(rs []reading.Reading, series int64) []reading.Reading {
	rs = rs[searchSeries(rs, series):]
	return rs[:searchSeries(rs, series+1)]
}
