package graph

import (
	"context"
	"maps"
	"time"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
)

// seriesWatch is a place in the journal of a project, and the series that an answer was read from.
type seriesWatch struct {
	subscription *live.Subscription
	seriesRead
	over bool // the subscription has failed
}

// follow begins behind the place at which series of a project were read.
func follow(hub *live.Hub, project int64, read *seriesRead) *seriesWatch {
	s := &seriesWatch{subscription: hub.Subscribe(project, read.place), seriesRead: *read}
	if s.series == nil {
		return s
	}
	concern := maps.Clone(s.series)
	for {
		missing := s.subscription.Narrow(concern)
		if len(missing) == 0 {
			return s
		}
		for _, id := range missing {
			concern[id] = false
		}
	}
}

// goOn has the watch go on behind the place of another reading. It reports false for ok where it is to begin anew: other
// series were read, or none (nil), or what lies between is not in memory any more. changed: something has come already that
// lies behind the new place.
func (s *seriesWatch) goOn(read *seriesRead) (ok, changed bool) {
	if s.over || read == nil || (s.series == nil) != (read.series == nil) || !maps.Equal(s.series, read.series) {
		return false, false
	}
	s.place = read.place
	for s.subscription.Place() < s.place {
		e, ok := s.subscription.Take()
		if !ok {
			return false, false
		}
		changed = changed || s.changes(e)
	}
	return true, changed
}

// changes reports whether an entry changes what was read.
func (s *seriesWatch) changes(e journal.Entry) bool { return e.Offset > s.place && s.concerned(e) }

// next waits for an entry behind the place that concerns what was read, and returns when it was committed. ok is false when
// ctx has ended before. A subscription that fails counts as a change: the next execution tells what has become of it.
func (s *seriesWatch) next(ctx context.Context) (at time.Time, ok bool) {
	for {
		e, err := s.subscription.Next(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return at, false
		case err != nil:
			s.over = true
			return at, true
		case s.changes(e):
			return e.At, true
		}
	}
}

// concerned reports whether an entry concerns what was read. The other series of it are declined: one that came to exist and
// may have to do with the query is told of as an entity.
func (s *seriesWatch) concerned(e journal.Entry) bool {
	if s.series == nil {
		return true
	}
	var others []int64
	for id := range e.Runs {
		if s.series[id] {
			return true
		}
		others = append(others, id)
	}
	for _, d := range e.Deletions {
		if s.series[d.Series] {
			return true
		}
		others = append(others, d.Series)
	}
	s.subscription.Decline(others...)
	return false
}
