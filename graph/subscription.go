package graph

import (
	"context"
	"slices"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// maxEventReadings is how many readings one event of history holds.
const maxEventReadings = 1000

// subscription is one running subscription to readings: a place in a project's journal and a filter.
type subscription struct {
	*Resolver
	project int64
	where   db.SeriesWhereInput
	// matched holds the series that entries have named so far: nil those that the filter or the rules leave out.
	matched map[int64]*db.Series
	// past holds the series whose readings up to the offset head were sent as history.
	past   map[int64]bool
	head   int64
	events chan<- *gql.ReadingEvent
}

// subscribe starts a subscription; it runs until ctx ends, or something that it cannot go on without: see end.
func (r *Resolver) subscribe(ctx context.Context, in *int64, where db.SeriesWhereInput, from *time.Time, after *Cursor) (<-chan *gql.ReadingEvent, error) {
	if _, err := where.P(); err != nil && err != db.ErrEmptySeriesWhereInput { //nolint:errorlint // wrapped, it is of a part
		return nil, err
	}
	id, err := r.projectOf(ctx, in, &where)
	if err != nil {
		return nil, err
	}
	if err := rule.Require(ctx, r.Client, id, auth.Viewer); err != nil {
		return nil, err
	}
	if err := r.Journal.Follow(ctx, id); err != nil {
		return nil, err
	}
	events := make(chan *gql.ReadingEvent, 1)
	s := &subscription{Resolver: r, project: id, where: where, matched: map[int64]*db.Series{}, events: events}
	begin, err := s.start(ctx, from, after)
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(events)
		if err := s.run(ctx, begin); err != nil && ctx.Err() == nil {
			s.end(ctx, err)
		}
	}()
	return events, nil
}

// end says why a subscription cannot go on. Rights that ended and a database that is away concern the whole socket: it
// is closed, and a client that may connects again and goes on after its cursor. Anything else is this operation's.
func (r *Resolver) end(ctx context.Context, err error) {
	problem.Log(ctx, r.Log, toFault(err))
	if f := toFault(err); f.Code == fault.Unauthenticated || f.Code == fault.Unavailable {
		endSocket(ctx, f)
		return
	}
	transport.Fail(ctx, err)
}

// beginning is where a subscription starts: the readings to send first, the offset to go on after, and the head of the
// journal, from which on all is live. With history the offset may lie before the head: a series that came to exist while
// the others were looked up has its readings there, and of those that are history nothing is sent again (past).
type beginning struct {
	history     [][]reading.Reading
	after, head int64
}

func (s *subscription) start(ctx context.Context, from *time.Time, after *Cursor) (b beginning, err error) {
	if after != nil && from != nil {
		return b, fault.New(fault.Invalid, "give from to begin with history, or after to go on, not both")
	}
	if after != nil {
		id, offset, err := s.Cursors.open(inJournal, after)
		if err == nil && id != s.project {
			err = fault.New(fault.Invalid, "this cursor is of another project")
		}
		head, _ := s.Journal.Applied(s.project)
		return beginning{after: offset, head: head}, err
	}
	b.after, _ = s.Journal.Applied(s.project)
	b.head = b.after
	if from == nil {
		return b, nil
	}
	ids, err := s.known(ctx)
	if err != nil {
		return b, err
	}
	b.head, b.history, err = s.History.At(ctx, s.project, ids, from.UnixMicro(), maxHistory)
	if fault.Is(err, fault.TooLarge) {
		err = fault.New(fault.TooLarge, "this is more than %d readings of history: begin later, or read them by the query", maxHistory)
	}
	if err != nil {
		return b, err
	}
	s.head, s.past = b.head, map[int64]bool{}
	for _, id := range ids {
		s.past[id] = true
	}
	return b, nil
}

// maxHistory is how many readings of history one subscription may begin with: they are held until the client has them.
const maxHistory = 500_000

// known returns the series of the project that match now.
func (s *subscription) known(ctx context.Context) (ids []int64, err error) {
	found, err := s.matching(ctx, &s.where)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.ProjectID == s.project {
			s.matched[f.ID] = f
			ids = append(ids, f.ID)
		}
	}
	return ids, nil
}

// run sends history, then entry by entry, and in between the mark that all from there on is live.
func (s *subscription) run(ctx context.Context, b beginning) error {
	if err := s.sendHistory(ctx, b.history); err != nil {
		return err
	}
	if b.after >= b.head {
		if err := s.sendCaughtUp(ctx, b.after); err != nil {
			return err
		}
	}
	place := s.Hub.Subscribe(s.project, b.after)
	defer place.Close()
	for {
		entry, err := place.Next(ctx)
		if err != nil {
			return err
		}
		if err := s.sendEntry(ctx, entry); err != nil {
			return err
		}
		if entry.Offset == b.head {
			if err := s.sendCaughtUp(ctx, b.head); err != nil {
				return err
			}
		}
	}
}

func (s *subscription) sendHistory(ctx context.Context, history [][]reading.Reading) error {
	for _, run := range history {
		for some := range slices.Chunk(run, maxEventReadings) {
			if err := s.rights.still(ctx, s.Client, s.project); err != nil {
				return err
			}
			if err := s.send(ctx, &gql.ReadingEvent{Readings: s.show(some, false)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subscription) sendCaughtUp(ctx context.Context, offset int64) error {
	return s.send(ctx, &gql.ReadingEvent{
		CaughtUp: true, Cursor: s.Cursors.sign(inJournal, s.project, offset), Readings: []*gql.Reading{},
	})
}

// sendEntry sends what an entry holds for this subscription, if anything.
func (s *subscription) sendEntry(ctx context.Context, entry journal.Entry) error {
	if err := s.rights.still(ctx, s.Client, s.project); err != nil {
		return err
	}
	if err := s.learn(ctx, entry.Readings); err != nil {
		return err
	}
	shown := s.show(entry.Readings, entry.Offset <= s.head)
	if len(shown) == 0 {
		return nil
	}
	return s.send(ctx, &gql.ReadingEvent{
		Cursor: s.Cursors.sign(inJournal, s.project, entry.Offset), Offset: &entry.Offset, Readings: shown,
	})
}

// learn asks whether the filter matches the series that were not met before.
func (s *subscription) learn(ctx context.Context, readings []reading.Reading) error {
	var unknown []int64
	for id := range reading.Runs(readings) {
		if _, known := s.matched[id]; !known {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	q, err := s.where.Filter(s.Client.Series.Query().Where(series.IDIn(unknown...)))
	if err != nil {
		return err
	}
	found, err := q.WithDevice().All(ctx)
	if err != nil {
		return err
	}
	for _, id := range unknown {
		s.matched[id] = nil
	}
	for _, f := range found {
		s.matched[f.ID] = f
	}
	return nil
}

// show returns those of the readings whose series the filter matches; without those of series that are history when
// afresh is asked for.
func (s *subscription) show(readings []reading.Reading, afresh bool) []*gql.Reading {
	shown := []*gql.Reading{}
	for id, run := range reading.Runs(readings) {
		of := s.matched[id]
		if of == nil || afresh && s.past[id] {
			continue
		}
		for _, r := range run {
			shown = append(shown, newReading(of, r))
		}
	}
	return shown
}

func (s *subscription) send(ctx context.Context, e *gql.ReadingEvent) error {
	select {
	case s.events <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// projectOf returns the project that a subscription follows: the one named, the key's, the person's only one, or the
// only one of the series that match now.
func (r *Resolver) projectOf(ctx context.Context, named *int64, where *db.SeriesWhereInput) (int64, error) {
	if named != nil {
		return *named, nil
	}
	if p := auth.FromContext(ctx); p != nil && p.Project != 0 {
		return p.Project, nil
	}
	ids, err := r.Client.Project.Query().Order(project.ByID()).Limit(2).IDs(ctx)
	if err != nil || len(ids) == 1 {
		return first(ids), err
	}
	q, err := where.Filter(r.Client.Series.Query())
	if err != nil {
		return 0, err
	}
	ids, err = q.QueryProject().Order(project.ByID()).Limit(2).IDs(ctx)
	if err != nil || len(ids) == 1 {
		return first(ids), err
	}
	return 0, fault.New(fault.Invalid, "say which project to follow: subscribe with project: \"…\"")
}

func first(ids []int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}
