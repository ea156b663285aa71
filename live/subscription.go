package live

import (
	"context"
	"sync"

	"github.com/readout-dev/readout/journal"
)

// pageEntries is how many entries a subscriber reads from the journal at once; it keeps no more than these.
const pageEntries = 16

// Subscription is a place in a project's journal. It belongs to one goroutine; only Close may be called from another.
type Subscription struct {
	hub   *Hub
	topic *topic // nil when the project is not followed
	place int64  // the offset of the last entry that Next returned

	page   []journal.Entry // read from the journal and not returned yet: those right behind place
	real   bool            // place is known to have been an offset of this journal
	closed sync.Once
}

// Next returns the entry behind the one it returned last, at once if it was committed already; else it waits for it.
// After an error other than ctx's or Unavailable the subscription is over.
//
// Errors: ErrReset when the journal does not hold the place any more, ErrGone when the project is forgotten, ctx's own,
// and the Reader's (Unavailable when the database is away: Next may be called again and goes on where it was).
func (s *Subscription) Next(ctx context.Context) (journal.Entry, error) {
	for {
		if len(s.page) > 0 {
			e := s.page[0]
			s.page[0] = journal.Entry{}
			s.page = s.page[1:]
			s.hub.fromJournal.Add(1)
			return s.advance(e), nil
		}
		if s.topic == nil {
			return journal.Entry{}, ErrGone
		}
		v := s.topic.look(s.place)
		switch {
		case v.gone:
			return journal.Entry{}, ErrGone
		case v.ok:
			s.hub.fromRing.Add(1)
			return s.advance(v.entry), nil
		}
		if err := s.wait(ctx, v); err != nil {
			return journal.Entry{}, err
		}
	}
}

// Close ends the subscription for the hub's metrics; it holds nothing else. It may be called twice.
func (s *Subscription) Close() { s.closed.Do(func() { s.hub.subscribers.Add(-1) }) }

func (s *Subscription) advance(e journal.Entry) journal.Entry {
	s.place, s.real = e.Offset, true
	return e
}

// wait returns when the entry behind place may be there: in the page, which it reads if the ring is past it, or by news.
func (s *Subscription) wait(ctx context.Context, v view) error {
	if s.place < v.old {
		return s.readPage(ctx, v.old)
	}
	if s.place > v.head && !s.real {
		if err := s.checkPlace(ctx); err != nil {
			return err
		}
	}
	select {
	case <-v.wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readPage reads what is behind place, up to the offset old and no further: the rest is in the ring, or still the hub's
// to publish, so that place never runs ahead of it.
func (s *Subscription) readPage(ctx context.Context, old int64) error {
	limit := int(min(old-s.place, pageEntries))
	page, err := s.hub.reader.Read(ctx, s.topic.project, s.place, limit)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].Offset != s.place+1 {
		return ErrReset
	}
	s.page = page
	return nil
}

// checkPlace asks the journal whether it holds the entry at place, which this process has not been told of yet: another
// one may have written it and given it to our client.
func (s *Subscription) checkPlace(ctx context.Context) error {
	page, err := s.hub.reader.Read(ctx, s.topic.project, s.place-1, 1)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].Offset != s.place {
		return ErrReset
	}
	s.real = true
	return nil
}
