package live

import (
	"context"
	"errors"
	"sync"

	"github.com/readout-dev/readout/journal"
)

// pageEntries is how many entries a subscriber reads from the journal at once; it keeps no more than these.
const pageEntries = 16

// ErrClosed is the answer of a subscription that was closed.
var ErrClosed = errors.New("the subscription is closed")

// Subscription is a place in a project's journal, and which series concern it. It belongs to one goroutine; only Close may
// be called from another.
type Subscription struct {
	hub   *Hub
	topic *topic        // nil when the project is not followed
	news  chan struct{} // has room for one: there may be something to take

	page []journal.Entry // read from the journal and not looked at yet: those right behind place
	real bool            // place is known to have been an offset of this journal

	// With the lock of the topic. Only who owns the subscription changes mine, declined and met; and place, unless it is fed.
	fed    bool  // publish sees to everything behind the head
	place  int64 // what is up to here was returned, is in the queue or does not concern it; fed, all up to the head is
	queue  queue
	closed bool

	mine     ids // the series that concern it; nil: all
	declined ids // of the series that were never published, those that do not
	met      int // how many of the known series it has been asked about

	once sync.Once // to close it
}

// Next returns the next entry that concerns the subscription, at once if it was committed already; else it waits for it.
// After an error other than ctx's or Unavailable the subscription is over.
//
// Errors: ErrReset when the journal does not hold the place any more, ErrGone when the project is forgotten, ErrClosed,
// ctx's own, and the Reader's (Unavailable when the database is away: Next may be called again and goes on where it was).
func (s *Subscription) Next(ctx context.Context) (journal.Entry, error) {
	if s.topic == nil {
		return journal.Entry{}, ErrGone
	}
	for {
		v := s.here()
		if v.err != nil {
			return journal.Entry{}, v.err
		}
		if v.entry != nil {
			return *v.entry, nil
		}
		if err := s.wait(ctx, v); err != nil {
			return journal.Entry{}, err
		}
	}
}

// Take returns what Next would return without waiting and without reading the database; ok is false when that is nothing.
func (s *Subscription) Take() (e journal.Entry, ok bool) {
	if s.topic == nil {
		return e, false
	}
	v := s.here()
	if v.entry == nil {
		return e, false
	}
	return *v.entry, true
}

// Place returns an offset up to which everything that concerns the subscription was returned: the head of the journal when
// nothing waits, however long ago the last entry was returned. A subscription that begins there misses nothing.
func (s *Subscription) Place() int64 {
	if s.topic == nil {
		return s.place
	}
	s.topic.mu.Lock()
	defer s.topic.mu.Unlock()
	return s.settled(s.topic.head)
}

// Narrow says which series concern the subscription: from Place on it returns only the entries that have readings or
// deletions of one of these, or of a strange series: one that the hub had not published before. A strange series concerns
// everybody, until Decline.
//
// concern answers for each series that the caller has looked up. Those that the hub knows and concern has no answer for are
// returned as missing; then nothing is changed, and the caller looks them up and calls again.
func (s *Subscription) Narrow(concern map[int64]bool) (missing []int64) {
	if s.topic == nil {
		return nil
	}
	series := s.topic.series()
	if missing = unanswered(series, concern); len(missing) > 0 {
		return missing
	}
	mine := make(ids)
	for id, yes := range concern {
		if yes {
			mine.add(id)
		}
	}
	return s.topic.narrow(s, mine, concern, len(series))
}

// Decline makes series not concern a subscription any more that has narrowed its interest: strange ones that were looked
// up. One that was never published will be strange once more when it is.
func (s *Subscription) Decline(series ...int64) {
	if s.topic != nil {
		s.topic.decline(s, series)
	}
}

// Widen makes everything behind Place concern the subscription again.
func (s *Subscription) Widen() {
	if s.topic != nil {
		s.topic.widen(s)
	}
}

// Close ends the subscription: a Next that waits returns ErrClosed. It may be called twice.
func (s *Subscription) Close() {
	s.once.Do(func() {
		s.hub.metrics.subscribers.Add(-1)
		if s.topic != nil {
			s.topic.dismiss(s)
		}
	})
}

// here returns the next entry that concerns s of those that are in memory.
func (s *Subscription) here() view {
	for {
		v := s.pageOrTopic()
		if v.entry == nil {
			return v
		}
		if s.concerns(v) {
			v.from.Add(1)
			return v
		}
	}
}

func (s *Subscription) pageOrTopic() view {
	if len(s.page) == 0 {
		s.page = nil
		return s.topic.look(s)
	}
	e := &s.page[0]
	s.page = s.page[1:]
	s.place = e.Offset
	return view{entry: e, from: &s.hub.metrics.fromJournal, stored: true}
}

// concerns reports whether the entry that s has found concerns it, as of now: it may have waited for long.
func (s *Subscription) concerns(v view) bool {
	if s.mine == nil {
		return true
	}
	if s.mine.meets(v.entry) {
		return true
	}
	return v.stored && s.topic.strange(s, v.entry)
}

// wait returns when there may be something to take: a page of the journal, or news.
func (s *Subscription) wait(ctx context.Context, v view) error {
	switch {
	case v.behind:
		return s.readPage(ctx, v.old)
	case v.ahead:
		return s.checkPlace(ctx)
	}
	select {
	case <-s.news:
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
	at, err := s.hub.reader.CommittedAt(ctx, s.topic.project, s.place)
	if err != nil {
		return err
	}
	if at.IsZero() {
		return ErrReset
	}
	s.real = true
	return nil
}
