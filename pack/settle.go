package pack

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// settleDay settles a block of a day that is over. Of series with many readings all become chunks, the others share one run
// of tier 2; a series that has chunks on the day already gets its new readings into these. The rollups of what is new are
// computed anew. When somebody else is at the project, it returns errBusy.
func (w *worker) settleDay(ctx context.Context, project int64, b store.DayBlock) error {
	return w.transaction(ctx, project, func(tx pgx.Tx) error {
		rows, err := store.FindYoung(ctx, tx, project, b.Day, b.Day, b.Block, store.TierPacked, store.TierMerged, store.TierSettled)
		if err != nil || !slices.ContainsFunc(rows, isFresh) {
			return err
		}
		start := b.Day.UnixMicro()
		chunks, err := store.FindChunksIn(ctx, tx, project, spansOf(mayHold(rows), start, start+dayLen))
		if err != nil {
			return err
		}
		w.segments.begin(spanOf(rows, store.TierSettled), w.sizes.Row)
		w.settler.begin(chunks, start, true)
		return w.settle(ctx, tx, project, rows)
	})
}

// closeMonth makes chunks of all settled young rows that a block has in a month that is over. When somebody else is at the
// project, it returns errBusy.
func (w *worker) closeMonth(ctx context.Context, project int64, b store.DayBlock) error {
	return w.transaction(ctx, project, func(tx pgx.Tx) error {
		end := b.Day.AddDate(0, 1, 0)
		rows, err := store.FindYoung(ctx, tx, project, b.Day, end.AddDate(0, 0, -1), b.Block, store.TierSettled)
		if err != nil || len(rows) == 0 {
			return err
		}
		series, err := w.seriesOf(ctx, tx, project, rows)
		if err != nil {
			return err
		}
		chunks, err := store.FindChunksIn(ctx, tx, project, spansOf(series, b.Day.UnixMicro(), end.UnixMicro()))
		if err != nil {
			return err
		}
		w.settler.begin(chunks, 0, false)
		return w.settle(ctx, tx, project, rows)
	})
}

// settle gives rows to the settler, which knows where to, and deletes them.
func (w *worker) settle(ctx context.Context, tx pgx.Tx, project int64, rows []store.YoungRow) error {
	if err := w.sweep.run(ctx, tx, project, slices.Clone(rows), &w.settler); err != nil {
		return err
	}
	if err := w.settler.finish(ctx); err != nil {
		return err
	}
	if err := w.out.flush(ctx); err != nil {
		return err
	}
	if err := store.DropYoung(ctx, tx, project, rows); err != nil {
		return err
	}
	if w.settler.rolling {
		w.queueYoung(w.segments.finish())
	}
	return w.flushYoung(ctx, tx, project)
}

func isFresh(r store.YoungRow) bool { return r.Tier != store.TierSettled }

// spansOf returns the stretch from from to to of each series.
func spansOf(series []int64, from, to int64) []store.SeriesSpan {
	spans := make([]store.SeriesSpan, len(series))
	for i := range series {
		spans[i] = store.SeriesSpan{Series: series[i], From: from, To: to}
	}
	return spans
}

// mayHold returns all series between the first and the last of the rows, which are of one block.
func mayHold(rows []store.YoungRow) (series []int64) {
	low, high := rows[0].FirstSeries, rows[0].LastSeries
	for _, r := range rows {
		low, high = min(low, r.FirstSeries), max(high, r.LastSeries)
	}
	for s := low; s <= high; s++ {
		series = append(series, s)
	}
	return series
}

// seriesOf returns the series that the rows hold, in order. It decodes them all: others of the block may have thousands of
// chunks in a month, which would be listed in vain.
func (w *worker) seriesOf(ctx context.Context, tx pgx.Tx, project int64, rows []store.YoungRow) (series []int64, err error) {
	var held [store.BlockSeries]bool
	err = store.ReadYoung(ctx, tx, project, rows, func(i int, payload []byte) error {
		rs, err := decodeRow(w.sweep.buffer(), &rows[i], payload)
		for _, r := range rs {
			held[r.Series&(store.BlockSeries-1)] = true
		}
		w.sweep.free = append(w.sweep.free, rs)
		return err
	})
	for i, h := range held {
		if h {
			series = append(series, rows[0].Block*store.BlockSeries+int64(i))
		}
	}
	return series, err
}

// settler is a sink that puts readings where they rest: into chunks, or into the segmenter for series that have few.
type settler struct {
	w       *worker
	rolling bool  // one day is settled: rollups are computed, and few readings stay young
	start   int64 // of the day
	chunks  []store.ChunkKey
	feed    feed

	// Of the series that is being taken:
	series  int64
	began   bool
	chunked bool              // it gets chunks
	fresh   bool              // its rollups change
	few     []reading.Reading // as long as it is not known whether it gets chunks
	mine    int               // how many of chunks are its
	open    []reading.Reading // what is left of the chunk that is being rewritten
	opened  []reading.Reading // the memory of open
	kept    []reading.Reading
	merged  []reading.Reading
	chunker chunker
	roller  roller
}

// begin prepares for the settled readings of a day, if rolling, or a month; chunks are those that they are put beside.
func (s *settler) begin(chunks []store.ChunkKey, start int64, rolling bool) {
	s.rolling, s.start, s.chunks, s.began = rolling, start, chunks, false
	s.feed.begin(&s.w.out, chunks, rolling)
}

// take implements sink.
func (s *settler) take(ctx context.Context, series int64, rs []reading.Reading, fresh bool) error {
	if !s.began || series != s.series {
		if err := s.finish(ctx); err != nil {
			return err
		}
		s.next(series)
	}
	s.fresh = s.fresh || fresh
	if s.chunked {
		return s.mix(ctx, rs)
	}
	if s.few = append(s.few, rs...); len(s.few) < s.w.sizes.few() {
		return nil
	}
	return s.release(ctx)
}

// next begins a series.
func (s *settler) next(series int64) {
	s.series, s.began, s.fresh, s.few, s.open, s.mine = series, true, false, s.few[:0], nil, 0
	s.chunks = s.chunks[searchChunks(s.chunks, series):]
	s.mine = searchChunks(s.chunks, series+1)
	s.chunked = s.mine > 0 || !s.rolling
	s.chunker.begin(series)
	s.roller.begin(series, s.start)
}

func searchChunks(keys []store.ChunkKey, series int64) int {
	n, _ := slices.BinarySearchFunc(keys, series, func(k store.ChunkKey, series int64) int {
		if k.Series < series {
			return -1
		}
		return 1
	})
	return n
}

// release makes chunks of the few readings, since they are not few any more.
func (s *settler) release(ctx context.Context) error {
	s.chunked, s.fresh = true, true
	err := s.mix(ctx, s.few)
	s.few = s.few[:0]
	return err
}

// finish ends the series, if one began.
func (s *settler) finish(ctx context.Context) error {
	if !s.began {
		return nil
	}
	s.began = false
	if !s.chunked {
		s.w.segments.add(s.few)
		s.roller.add(s.few)
		if !s.fresh {
			return nil
		}
	} else if err := s.finishChunks(ctx); err != nil {
		return err
	}
	if !s.rolling {
		return nil
	}
	day, hours := s.roller.finish()
	return s.w.out.rollups(ctx, day, hours)
}

func (s *settler) finishChunks(ctx context.Context) error {
	if err := s.write(ctx, s.open); err != nil {
		return err
	}
	s.open = nil
	for s.mine > 0 {
		if err := s.keep(ctx); err != nil {
			return err
		}
	}
	return s.chunker.finish(ctx)
}

// mix puts the next new readings between and into the chunks of the series.
func (s *settler) mix(ctx context.Context, rs []reading.Reading) error {
	for len(rs) > 0 {
		switch {
		case len(s.open) > 0:
			n, m := s.overlap(rs)
			s.merged = reading.Merge(s.merged[:0], s.open[:n], rs[:m])
			s.open, rs = s.open[n:], rs[m:]
			if err := s.write(ctx, s.merged); err != nil {
				return err
			}
		case s.mine == 0:
			return s.write(ctx, rs)
		case rs[0].Time > s.chunks[0].Last:
			if err := s.keep(ctx); err != nil {
				return err
			}
		case rs[0].Time < s.chunks[0].First:
			n := search(rs, s.chunks[0].First)
			if err := s.write(ctx, rs[:n]); err != nil {
				return err
			}
			rs = rs[n:]
		default:
			if err := s.rewrite(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// overlap returns how many readings of the open chunk, and how many of rs, are settled by what both hold: all up to the
// last time of the one that ends first.
func (s *settler) overlap(rs []reading.Reading) (open, fresh int) {
	end := min(s.open[len(s.open)-1].Time, rs[len(rs)-1].Time)
	return search(s.open, end+1), search(rs, end+1)
}

// rewrite opens the next chunk.
func (s *settler) rewrite(ctx context.Context) (err error) {
	s.opened, err = s.feed.load(ctx, s.opened[:0], s.chunks[0])
	s.open = s.opened
	s.w.out.replace(s.chunks[0])
	s.pass()
	return err
}

// keep leaves the next chunk as it is, unless the chunker wants it.
func (s *settler) keep(ctx context.Context) (err error) {
	key := s.chunks[0]
	s.pass()
	if s.rolling {
		if s.kept, err = s.feed.load(ctx, s.kept[:0], key); err != nil {
			return err
		}
		s.roller.add(s.kept)
	}
	return s.chunker.keep(ctx, key)
}

func (s *settler) pass() {
	s.chunks = s.chunks[1:]
	s.mine--
}

// write takes readings in their final order.
func (s *settler) write(ctx context.Context, rs []reading.Reading) error {
	if s.rolling {
		s.roller.add(rs)
	}
	return s.chunker.add(ctx, rs)
}
