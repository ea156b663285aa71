package graph

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

// past is what a stream for one subscriber sends before that one can share what comes: history, a gap, entries, and that
// it is caught up, those that it has of these in this order.
type past struct {
	history [][]reading.Reading // of each series that has any, left to be sent
	holds   int64               // of Resolver.histories, for them
	told    map[int64]int64     // by series: up to which offset history tells of it
	gap     *gql.ReadingEvent
	mark    transport.Mark // of the gap
	until   int64          // the entries up to it were there when it began, or it was told to go on so far
	greets  bool           // it has to say that it is caught up
}

// begin prepares a part of the subscription.
func (s *readingStream) begin(ctx context.Context, part transport.Part) error {
	head, _ := s.Journal.Applied(s.project)
	if part.Shared {
		return s.beginShared(ctx)
	}
	if auth.FromContext(ctx).Kind != auth.DeviceKey { // which is not to hear of other devices
		s.gone = idSet{} // these are told whether they matched or not, since nobody can say any more
	}
	if part.Behind {
		return s.beginBehind(ctx, part.Place, head)
	}
	s.until, s.greets = head, true
	switch {
	case part.After != "":
		after, err := scalar.UnmarshalCursor(part.After)
		if err != nil {
			return err
		}
		return s.beginAfter(ctx, &after)
	case s.after != nil:
		return s.beginAfter(ctx, s.after)
	case s.from != nil:
		return s.beginFrom(ctx, s.from.UnixMicro())
	}
	s.place = s.placeAt(s.project, head)
	return nil
}

// beginShared begins at the head, with the newest reading that each of the series has there.
func (s *readingStream) beginShared(ctx context.Context) error {
	found, err := s.load(ctx)
	if err != nil {
		return err
	}
	if err := s.add(ctx, found); err != nil {
		return err
	}
	offset, newest, err := s.History.Newest(ctx, s.project, idsOf(found))
	if err != nil {
		return err
	}
	for i, n := range newest {
		if n.State == tail.Known {
			s.found[found[i].ID].newest = n.Time
		}
	}
	s.shared, s.returned = true, time.Now()
	s.place = s.placeAt(s.project, offset)
	s.recall = s.newestOf
	return nil
}

// newestOf returns the times (µs) of the newest readings that series have, never of one that has none; but nothing of one whose
// newest came with an entry that was not looked at yet.
func (s *readingStream) newestOf(ctx context.Context, ids []int64) (map[int64]int64, error) {
	looked := s.looked() // what comes later is for the stream to judge
	_, newest, err := s.History.Newest(ctx, s.project, ids)
	if err != nil {
		return nil, err
	}
	times := make(map[int64]int64, len(ids))
	for i, n := range newest {
		switch {
		case n.Offset > looked:
		case n.State == tail.Known:
			times[ids[i]] = n.Time
		default:
			times[ids[i]] = never
		}
	}
	return times, nil
}

func idsOf(found []*db.Series) []int64 {
	ids := make([]int64, len(found))
	for i, s := range found {
		ids[i] = s.ID
	}
	return ids
}

// beginAfter begins behind a cursor.
func (s *readingStream) beginAfter(ctx context.Context, after *Cursor) error {
	named, err := s.openCursor(after)
	if err != nil {
		return err
	}
	s.place = s.placeAt(s.project, named.offset)
	if err := s.reach(ctx, named.offset); err != nil {
		return err
	}
	return s.recognise(ctx, named)
}

// reach waits until the hub has come to an offset that a client was given: by another process, if this one was not told of
// the entry yet. The journal may never have come so far, since it was restored: that is the place's error.
func (s *readingStream) reach(ctx context.Context, offset int64) error {
	for s.until < offset && s.held == nil {
		s.place.renewed() // no series was looked up yet; else await would not wait
		e, ok, err := s.place.await(ctx, time.Now().Add(time.Second))
		if err != nil {
			return err
		}
		if ok {
			s.held = &e
		}
		s.until, _ = s.Journal.Applied(s.project)
	}
	return nil
}

// beginBehind begins where a subscriber lags behind, as it has asked for.
func (s *readingStream) beginBehind(ctx context.Context, place, head int64) error {
	s.until = head
	if s.onLag == gql.LagPolicyClose {
		return fault.New(fault.Lagging, "you do not read as quickly as there is something to send: come back with your last cursor")
	}
	if s.onLag == gql.LagPolicyReplay || head <= place {
		s.place = s.placeAt(s.project, place)
		return nil
	}
	var latest []*gql.LiveReading
	if s.onLag == gql.LagPolicyCoalesce {
		var err error
		if s.until, latest, err = s.latestSince(ctx, place); err != nil {
			return err
		}
	}
	s.place = s.placeAt(s.project, s.until)
	after := s.cursorAt(place)
	s.gap, s.mark = s.event(s.until)
	s.mark.Gap = string(s.onLag)
	s.gap.Gap = &gql.Gap{From: place + 1, To: s.until, After: *after}
	s.gap.Readings = append(s.gap.Readings, latest...)
	return nil
}

// latestSince returns the newest reading of each series that has another one than it had at an offset, in the order of the
// entries that they came with, as of exactly the offset head.
func (s *readingStream) latestSince(ctx context.Context, offset int64) (head int64, latest []*gql.LiveReading, err error) {
	found, err := s.load(ctx)
	if err != nil {
		return 0, nil, err
	}
	if err := s.add(ctx, found); err != nil {
		return 0, nil, err
	}
	head, newest, err := s.History.Newest(ctx, s.project, idsOf(found))
	if err != nil {
		return 0, nil, err
	}
	slices.SortStableFunc(newest, func(a, b tail.Newest) int { return cmp.Compare(a.Offset, b.Offset) })
	for _, n := range newest {
		if n.State != tail.Known {
			continue
		}
		f := s.found[n.Series]
		if kind := f.judge(n.Time); n.Offset > offset {
			latest = append(latest, &gql.LiveReading{Kind: kind, Series: f.series, Time: time.UnixMicro(n.Time).UTC(), Value: n.Value})
		}
	}
	return head, latest, nil
}

// sent reports whether history has told what the entry at an offset does to a series.
func (p *past) sent(series, offset int64) bool { return offset <= p.told[series] }

// Until implements transport.Stream.
func (s *readingStream) Until(offset int64) { s.until = offset }

// nextOfPast returns the next event of what one subscriber needs, io.EOF at its end.
func (s *readingStream) nextOfPast(ctx context.Context) (*gql.ReadingEvent, transport.Mark, error) {
	switch {
	case len(s.history) > 0:
		return s.nextOfHistory(), transport.Mark{}, nil
	case s.gap != nil:
		e := s.gap
		s.gap, s.mark.Live = nil, true
		return e, s.mark, nil
	}
	for !s.batch.full && (s.held != nil || s.place.Place() < s.until) {
		if err := s.takeNext(ctx); err != nil {
			return nil, transport.Mark{}, err
		}
	}
	switch {
	case !s.batch.empty():
		return s.flush(time.Now())
	case s.greets:
		s.greets = false
		return s.caughtUp()
	}
	return nil, transport.Mark{}, io.EOF
}

// takeNext takes the next entry, which is there.
func (s *readingStream) takeNext(ctx context.Context) error {
	if s.held == nil {
		e, err := s.place.Next(ctx)
		if err != nil {
			return err
		}
		s.held = &e
	}
	return s.take(s.ctx)
}
