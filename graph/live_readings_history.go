package graph

import (
	"context"
	"slices"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// maxHistory is how many readings of history one subscription may begin with: they are held until the client has them.
const maxHistory = 500_000

var errLongHistory = fault.New(fault.TooLarge,
	"this is more than %d readings of history: begin later, thin them with maxPoints, or read them by the query", maxHistory)

// beginFrom begins with the readings from a time (µs) on. It goes on from before it has looked up which series match: one
// that came to exist meanwhile has its readings there. What history tells is not sent again.
func (s *readingStream) beginFrom(ctx context.Context, from int64) error {
	s.place = s.placeAt(s.project, s.until)
	found, err := s.matching(ctx, &s.where)
	if err != nil {
		return err
	}
	s.add(found)
	s.told = make(map[int64]int64, len(found))
	runs, err := s.historyOf(ctx, idsOf(found), from)
	if err != nil {
		return err
	}
	s.history = slices.Concat(runs...)
	for _, offset := range s.told {
		s.until = max(s.until, offset)
	}
	return nil
}

// historyOf returns the readings of each of the series, and notes up to which offset they tell of it.
func (s *readingStream) historyOf(ctx context.Context, ids []int64, from int64) ([][]reading.Reading, error) {
	if s.points > 0 {
		return s.thinnedHistoryOf(ctx, ids, from)
	}
	offset, runs, err := s.History.At(ctx, s.project, ids, from, maxHistory)
	if fault.Is(err, fault.TooLarge) {
		err = errLongHistory
	}
	for _, id := range ids {
		s.told[id] = offset
	}
	return runs, err
}

func (s *readingStream) thinnedHistoryOf(ctx context.Context, ids []int64, from int64) ([][]reading.Reading, error) {
	if err := s.decimations.enter(ctx); err != nil {
		return nil, err
	}
	defer s.decimations.leave()
	runs := make([][]reading.Reading, len(ids))
	for i, left := 0, maxHistory; i < len(ids); i++ {
		offset, kept, err := s.History.MinMaxAt(ctx, s.project, ids[i], from, s.points)
		if err != nil {
			return nil, err
		}
		if left -= len(kept); left < 0 {
			return nil, errLongHistory
		}
		runs[i], s.told[ids[i]] = kept, offset
	}
	return runs, nil
}

// nextOfHistory returns an event of the next readings of history.
func (s *readingStream) nextOfHistory() *gql.ReadingEvent {
	some := s.history[:min(len(s.history), maxEventReadings)]
	s.history = s.history[len(some):]
	var b batch
	for id, run := range reading.Runs(some) {
		b.readingsOf(s.found[id], run)
	}
	return &gql.ReadingEvent{Deleted: []*gql.DeletedReadings{}, Readings: b.readings}
}
