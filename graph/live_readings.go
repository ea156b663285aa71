package graph

import (
	"context"
	"strings"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/journal"
)

// readingStream is one execution of the subscription `readings`: the one that is shared, from the head of the journal on, or
// what one subscriber needs before it can share that.
//
// Whatever it has taken and not returned it keeps when a call is cut off: an entry in held, what is made of entries in
// batch.
type readingStream struct {
	*Resolver
	readingQuestion
	ctx     context.Context // of the execution, for its rights
	project int64
	*matches
	place *place
	held  *journal.Entry // taken from place, and not looked at
	batch batch
	last  stamp // of the last cursor, so that nobody is asked again

	// Of the one that is shared.
	shared   bool
	narrowed bool      // only what may match comes from place
	outdated bool      // it is to be looked again which series match,
	renewal  time.Time // but not before this
	returned time.Time // when Next returned last
	due      time.Time // not before this there is another event

	past // of any other
}

// subscribeReadings plans a subscription, or starts the part of it that its execution asks for.
func (r *Resolver) subscribeReadings(ctx context.Context, project *int64, where db.SeriesWhereInput, q readingQuestion) (<-chan *gql.ReadingEvent, error) {
	id, err := r.followProject(ctx, project, &where)
	if err != nil {
		return nil, err
	}
	if transport.Planning(ctx) {
		plan := r.share(ctx, id)
		plan.Begins = []string{"from", "after", "onLag"} // the last is about what one has missed
		plan.Alone, plan.Places = q.from != nil || q.after != nil, true
		return transport.Propose[*gql.ReadingEvent](ctx, plan)
	}
	s, err := r.openReadings(ctx, id, where, q, transport.PartOf(ctx))
	if err != nil {
		return nil, err
	}
	return transport.Pull(ctx, s)
}

func (r *Resolver) openReadings(
	ctx context.Context, project int64, where db.SeriesWhereInput, q readingQuestion, part transport.Part,
) (*readingStream, error) {
	s := &readingStream{Resolver: r, readingQuestion: q, ctx: ctx, project: project, matches: newMatches(r.Client, project, where)}
	if err := s.begin(ctx, part); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close implements transport.Stream.
func (s *readingStream) Close() {
	if s.place != nil {
		s.place.Close()
	}
	s.release()
}

// Place implements transport.Stream.
func (s *readingStream) Place() int64 {
	if !s.batch.empty() {
		return s.batch.first - 1
	}
	return s.looked()
}

// looked returns the offset up to which it has looked at all entries that concern it.
func (s *readingStream) looked() int64 {
	if s.held != nil {
		return s.held.Offset - 1
	}
	return s.place.Place()
}

// First implements transport.Stream: all that there is to say to a newcomer is where he has come.
func (s *readingStream) First(context.Context, bool) (*gql.ReadingEvent, transport.Mark, error) {
	return s.caughtUp()
}

// Next implements transport.Stream. What it looks up is not cut off with ctx, which may end sooner each time.
func (s *readingStream) Next(ctx context.Context) (*gql.ReadingEvent, transport.Mark, error) {
	if !s.shared {
		return s.nextOfPast(ctx)
	}
	for {
		if err := s.narrow(s.ctx); err != nil {
			return nil, transport.Mark{}, err
		}
		if err := s.gather(s.ctx); err != nil {
			return nil, transport.Mark{}, err
		}
		now := time.Now()
		switch {
		case s.batch.full || !s.batch.empty() && !now.Before(s.due):
			return s.flush(now)
		case s.heartbeat > 0 && !now.Before(s.returned.Add(s.heartbeat)):
			return s.beat(now)
		}
		if err := s.wait(ctx); err != nil {
			return nil, transport.Mark{}, err
		}
	}
}

// narrow narrows the place to the series that match, anew when they may be others.
func (s *readingStream) narrow(ctx context.Context) error {
	s.outdated = s.place.renewed() || s.outdated
	if s.outdated && !time.Now().Before(s.renewal) {
		s.narrowed = false
		s.place.Widen()
		if err := s.renew(ctx); err != nil {
			return err
		}
		s.outdated, s.renewal = false, time.Now().Add(renewalPace)
	}
	for !s.narrowed {
		missing := s.place.Narrow(s.concern())
		if _, err := s.learn(ctx, missing); err != nil {
			return err
		}
		s.narrowed = len(missing) == 0
	}
	return nil
}

// gather takes what is there, until there is enough for an event.
func (s *readingStream) gather(ctx context.Context) error {
	for !s.batch.full {
		if s.held == nil {
			e, ok := s.place.Take()
			if !ok {
				return nil
			}
			s.held = &e
		}
		if err := s.take(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when there may be something to do.
func (s *readingStream) wait(ctx context.Context) error {
	var until time.Time
	if s.heartbeat > 0 {
		until = s.returned.Add(s.heartbeat)
	}
	if !s.batch.empty() && (until.IsZero() || s.due.Before(until)) {
		until = s.due
	}
	if s.outdated && (until.IsZero() || s.renewal.Before(until)) {
		until = s.renewal
	}
	if s.pace > 0 && !s.batch.empty() { // what comes until the event is due need not wake it one by one
		return nap(ctx, min(time.Until(until), longNap))
	}
	e, ok, err := s.place.await(ctx, until)
	if ok {
		s.held = &e
	}
	return err
}

// longNap is how long a stream may leave what comes in its queue, which holds so much and more of the heaviest traffic.
const longNap = 100 * time.Millisecond

// nap waits for d, or until ctx ends.
func nap(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take adds what matches of the entry that is held to the batch. Deletions come before readings in an event: those behind
// readings are left for the next one.
func (s *readingStream) take(ctx context.Context) error {
	e := s.held
	if len(e.Deletions) > 0 && len(s.batch.readings) > 0 {
		s.batch.full = true
		return nil
	}
	if unknown := s.unknown(e); len(unknown) > 0 {
		others, err := s.learn(ctx, unknown)
		if err != nil {
			return err
		}
		if s.narrowed {
			s.place.Decline(others...)
		}
	}
	s.held = nil
	if s.collect(e) {
		s.batch.begin(e)
		s.batch.settle(s.pace > 0, s.points)
	}
	return nil
}

// collect adds the readings and deletions of an entry that match; any is false when there are none.
func (s *readingStream) collect(e *journal.Entry) (any bool) {
	for f, run := range s.readingsIn(e) {
		if f.series != nil && !s.sent(f.series.ID, e.Offset) {
			s.batch.readingsOf(f, run)
			any = true
		}
	}
	for _, d := range e.Deletions {
		f := s.found[d.Series]
		if f == nil && d.Whole() && s.gone.has(d.Series) {
			f = &followed{}
		}
		if f == nil || f.series == nil && !d.Whole() || s.sent(d.Series, e.Offset) {
			continue
		}
		f.delete(d)
		s.batch.deletion(d, f)
		any = true
	}
	return any
}

// flush returns the event of the batch. One that was full is followed at once by the next: the journal does not wait.
func (s *readingStream) flush(now time.Time) (*gql.ReadingEvent, transport.Mark, error) {
	b := s.batch
	s.batch, s.returned, s.due = batch{}, now, now.Add(s.pace)
	if b.full {
		s.due = time.Time{}
	}
	s.last = stampOf(b.last, b.at)
	e, mark := s.event(b.last)
	if len(b.readings) > 0 {
		e.Readings = thinned(b.readings, s.points)
	}
	if len(b.deleted) > 0 {
		e.Deleted = b.deleted
	}
	mark.Committed = b.at
	return e, mark, nil
}

// beat returns an event that says that all is well.
func (s *readingStream) beat(now time.Time) (*gql.ReadingEvent, transport.Mark, error) {
	s.returned = now
	e, mark := s.event(s.Place())
	e.Heartbeat = true
	return e, mark, nil
}

func (s *readingStream) caughtUp() (*gql.ReadingEvent, transport.Mark, error) {
	e, mark := s.event(s.Place())
	e.CaughtUp, mark.Live = true, true
	return e, mark, nil
}

// event returns an empty event that stands for the entries up to an offset.
func (s *readingStream) event(offset int64) (*gql.ReadingEvent, transport.Mark) {
	cursor := s.cursorAt(offset)
	var text strings.Builder
	cursor.MarshalGQL(&text)
	e := &gql.ReadingEvent{Cursor: cursor, Offset: &offset, Deleted: []*gql.DeletedReadings{}, Readings: []*gql.LiveReading{}}
	return e, transport.Mark{Place: offset, Cursor: strings.Trim(text.String(), `"`)}
}

var _ transport.Stream[*gql.ReadingEvent] = (*readingStream)(nil)
