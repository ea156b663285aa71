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
	if err := s.add(ctx, found); err != nil {
		return err
	}
	s.told = make(map[int64]int64, len(found))
	ids := idsOf(found)
	runs, err := s.keep(ctx, ids, from)
	if err != nil {
		return err
	}
	for _, offset := range s.told {
		s.until = max(s.until, offset)
	}
	if err := s.recallBefore(ctx, ids, runs); err != nil {
		return err
	}
	s.recall = s.newestOf
	s.history = slices.DeleteFunc(runs, func(run []reading.Reading) bool { return len(run) == 0 })
	if len(s.history) == 0 {
		s.release()
	}
	return nil
}

// recallBefore has series of which history says nothing judged by what they had before it.
func (s *readingStream) recallBefore(ctx context.Context, ids []int64, runs [][]reading.Reading) error {
	var silent []int64
	for i, run := range runs {
		if len(run) == 0 {
			silent = append(silent, ids[i])
		}
	}
	newest, err := s.newestOf(ctx, silent)
	for id, t := range newest {
		s.found[id].newest = t
	}
	return err
}

// keep is historyOf, within what all may hold together: room is made for as much as it may be, and what it is not is given back.
func (s *readingStream) keep(ctx context.Context, ids []int64, from int64) ([][]reading.Reading, error) {
	most := int64(maxHistory)
	if s.points > 0 {
		most = min(most, int64(len(ids)*s.points))
	}
	if err := s.histories.enter(ctx, most); err != nil {
		return nil, err
	}
	s.holds = most
	runs, err := s.historyOf(ctx, ids, from)
	if err != nil {
		return nil, err
	}
	s.holds = 0
	for _, run := range runs {
		s.holds += int64(len(run))
	}
	s.histories.leave(most - s.holds)
	return runs, nil
}

// release gives back what the stream holds of histories. It may be called twice.
func (s *readingStream) release() {
	s.histories.leave(s.holds)
	s.holds = 0
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
	var b batch
	for len(s.history) > 0 && len(b.readings) < maxEventReadings {
		run := s.history[0]
		some := run[:min(len(run), maxEventReadings-len(b.readings))]
		b.readingsOf(s.found[some[0].Series], some)
		if s.history[0] = run[len(some):]; len(some) == len(run) {
			s.history[0] = nil
			s.history = s.history[1:]
		}
	}
	if len(s.history) == 0 {
		s.history = nil
		s.release()
	}
	return &gql.ReadingEvent{Deleted: []*gql.DeletedReadings{}, Readings: b.readings}
}
