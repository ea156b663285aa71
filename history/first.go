package history

import (
	"context"
	"math"
	"slices"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// First returns the time (µs) of the earliest reading of any of the series, or of the earliest that is told of by rollups
// alone, since it has gone by age; ok is false when there is none. The series must be distinct.
func (r *Reader) First(ctx context.Context, project int64, series []int64) (t int64, ok bool, err error) {
	if len(series) == 0 {
		return 0, false, nil
	}
	sorted, _ := inOrder(series)
	least := reading.Reading{Series: math.MinInt64, Time: math.MinInt64}
	page, err := r.Page(ctx, project, sorted, least.Time, forever, least, 1)
	if err != nil {
		return 0, false, err
	}
	t = floor(r.now().UnixMicro(), dayLen)
	if ok = len(page) > 0; ok {
		t = page[0].Time
	}
	if gone, some, err := r.firstGone(ctx, project, sorted, t); err != nil || some {
		return gone, some, err
	}
	return t, ok, nil
}

// firstGone returns the time of the earliest reading before the time before that rollups tell of and that is gone.
func (r *Reader) firstGone(ctx context.Context, project int64, series []int64, before int64) (t int64, ok bool, err error) {
	done, err := r.turn(ctx)
	if err != nil {
		return 0, false, err
	}
	defer done()
	s := newSumming(SummaryQuery{Project: project, Series: series, Bounds: []int64{beginning, before}}, before, nil)
	held := r.tail.Snapshot(project, series, beginning, before)
	s.rolled, err = store.FindRolled(ctx, r.pool, project, series, beginning, beginning)
	if err != nil {
		return 0, false, store.Fault(err)
	}
	defer s.rolled.Close(ctx)
	s.note(held.Deletions)
	from := slices.Repeat([]int64{beginning}, len(series))
	for t = before; len(series) > 0; {
		days, err := s.rolled.FirstDays(ctx, series, from)
		if err != nil {
			return 0, false, store.Fault(err)
		}
		series, from = nil, nil
		for _, day := range days {
			place, _ := slices.BinarySearch(s.q.Series, day.Series)
			switch {
			case day.FirstAt >= t || !s.isGone(day.Start):
			case s.deleted(place, day.Start):
				series, from = append(series, day.Series), append(from, day.Start+dayLen)
			default:
				t, ok = day.FirstAt, true
			}
		}
	}
	return t, ok, nil
}
