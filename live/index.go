package live

import (
	"math/bits"

	"github.com/readout-dev/readout/journal"
)

// index says whom which series concern. It is guarded by the lock of its topic.
type index struct {
	wide   subscriptions           // those whom everything concerns
	narrow subscriptions           // the others
	of     map[int64]subscriptions // by series: those of the others whom it concerns
	heard  ids                     // the series that concern any of the others
}

type subscriptions map[*Subscription]struct{}

func newIndex() index {
	return index{wide: make(subscriptions), narrow: make(subscriptions), of: make(map[int64]subscriptions), heard: make(ids)}
}

func (x *index) add(s *Subscription, id int64) {
	of := x.of[id]
	if of == nil {
		of = make(subscriptions, 1)
		x.of[id] = of
		x.heard.add(id)
	}
	of[s] = struct{}{}
}

func (x *index) remove(s *Subscription, id int64) {
	of := x.of[id]
	if delete(of, s); len(of) == 0 {
		delete(x.of, id)
		x.heard.remove(id)
	}
}

// offer offers an entry to those of the others whom it concerns.
func (x *index) offer(e *journal.Entry) {
	for at, word := range e.Blocks {
		for heard := word & x.heard[at]; heard != 0; heard &= heard - 1 {
			for s := range x.of[at<<6|int64(bits.TrailingZeros64(heard))] {
				s.offer(e)
			}
		}
	}
	for _, d := range e.Deletions {
		for s := range x.of[d.Series] {
			s.offer(e)
		}
	}
}

// everybody yields each subscription.
func (x *index) everybody(yield func(*Subscription) bool) {
	for _, some := range []subscriptions{x.wide, x.narrow} {
		for s := range some {
			if !yield(s) {
				return
			}
		}
	}
}

// leave takes s out.
func (x *index) leave(s *Subscription) {
	delete(x.wide, s)
	delete(x.narrow, s)
	for id := range s.mine.all {
		x.remove(s, id)
	}
}

// admit takes a new subscription in.
func (t *topic) admit(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.index.wide[s] = struct{}{}
}

// dismiss takes a subscription out, and wakes it. It is called once.
func (t *topic) dismiss(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.detach(t.head)
	s.dropQueue()
	s.closed = true
	t.index.leave(s)
	s.notify()
}

// series returns those that were published so far. Others may be added behind them.
func (t *topic) series() []int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known.order
}

// narrow makes mine, beside what is strange, all that concerns s. concern was found to answer for the first so many of the
// known series. Are there others by now for which it has no answer, they are returned, and nothing is changed.
func (t *topic) narrow(s *Subscription, mine ids, concern map[int64]bool, checked int) (missing []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if missing = unanswered(t.known.order[checked:], concern); len(missing) > 0 || s.closed {
		return missing
	}
	s.rewind(t.head)
	t.index.leave(s)
	t.index.narrow[s] = struct{}{}
	s.mine, s.declined, s.met = mine, nil, len(t.known.order)
	for id := range mine.all {
		t.index.add(s, id)
	}
	return nil
}

// unanswered returns those of the series for which concern has no answer.
func unanswered(series []int64, concern map[int64]bool) (missing []int64) {
	for _, id := range series {
		if _, ok := concern[id]; !ok {
			missing = append(missing, id)
		}
	}
	return missing
}

// meet makes the strange series that have come since it was last called concern s, which need not have been given the
// entries that hold them yet. Whoever is fed has met all.
func (t *topic) meet(s *Subscription) {
	if s.mine == nil || s.closed {
		return
	}
	for _, id := range t.known.order[s.met:] {
		s.mine.add(id)
		t.index.add(s, id)
	}
	s.met = len(t.known.order)
}

// decline makes series not concern s any more.
func (t *topic) decline(s *Subscription, series []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.mine == nil || s.closed {
		return
	}
	t.meet(s)
	for _, id := range series {
		s.mine.remove(id)
		t.index.remove(s, id)
		if t.known.set.has(id) {
			continue
		}
		if s.declined == nil {
			s.declined = make(ids)
		}
		s.declined.add(id)
	}
}

// widen makes everything concern s again.
func (t *topic) widen(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.mine == nil || s.closed {
		return
	}
	s.rewind(t.head)
	t.index.leave(s)
	t.index.wide[s] = struct{}{}
	s.mine, s.declined = nil, nil
}

// strange reports whether an entry concerns s for the sake of a strange series. It was read from the journal, and may be from
// before the hub's beginning, so that its series need not be known.
func (t *topic) strange(s *Subscription, e *journal.Entry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.meet(s)
	for id := range seriesOf(e) {
		if s.mine.has(id) || !t.known.set.has(id) && !s.declined.has(id) {
			return true
		}
	}
	return false
}
