package live

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/journal"
)

// topic is what the hub knows of one project.
type topic struct {
	hub     *Hub
	project int64
	share   share

	mu     sync.Mutex
	head   int64     // the last offset that was published
	headAt time.Time // its Entry.At; zero where the journal does not hold it
	recent ring      // ends at head, unless it is empty
	known  known
	index  index
	gone   bool
}

func newTopic(h *Hub, project int64) *topic {
	t := &topic{
		hub: h, project: project, index: newIndex(), known: known{set: make(ids)},
		recent: ring{maxEntries: h.cfg.MaxEntries, maxBytes: h.cfg.MaxBytes},
	}
	t.share.topic = t
	return t
}

// publish makes e the head, and hands it to those whom it concerns. A strange series concerns everybody; it is not in the
// index of those who have narrowed their interest, so they go on by themselves, until they are at the head again.
func (t *topic) publish(e *journal.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.head
	t.recent.push(e)
	t.head, t.headAt = e.Offset, e.At
	for s := range t.index.wide {
		s.offer(e)
	}
	switch strange := t.known.learn(e); {
	case len(t.index.narrow) == 0:
	case strange:
		for s := range t.index.narrow {
			s.detach(before)
			s.notify()
		}
	default:
		t.index.offer(e)
	}
}

// skip moves the head to a beginning behind entries that nobody will publish.
func (t *topic) skip(b journal.Beginning) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.index.everybody {
		s.detach(t.head)
		s.notify()
	}
	t.head, t.headAt = b.After, b.At
	t.recent.clear()
	t.known.learn(&journal.Entry{Readings: b.Latest})
}

// committedAt returns the Entry.At of the entry at an offset, as far as it is in memory.
func (t *topic) committedAt(offset int64) (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if offset == t.head {
		return t.headAt, true
	}
	if e := t.recent.after(offset - 1); e != nil {
		return e.At, true
	}
	return time.Time{}, false
}

// end makes every subscription end.
func (t *topic) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
	for s := range t.index.everybody {
		s.notify()
	}
}

// held returns how many bytes the ring holds.
func (t *topic) held() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.recent.bytes
}

// giveWay empties the ring.
func (t *topic) giveWay() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.clear()
}

// view is what a subscription finds at one moment: an entry, or why there is none.
type view struct {
	entry  *journal.Entry
	from   *atomic.Int64 // counts where the entry came from
	err    error         // the subscription is over
	stored bool          // it came from the journal, and may be from before the hub's beginning

	behind bool  // the next entry is in the journal alone,
	old    int64 // as are those up to this offset
	ahead  bool  // the place is one that the hub has not come to, and maybe none at all
}

// look takes the next entry that waits for s, or that the ring has behind its place. When there is none and s is at the
// head, publish feeds it from now on.
func (t *topic) look(s *Subscription) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case s.closed:
		return view{err: ErrClosed}
	case t.gone:
		return view{err: ErrGone}
	case !s.queue.empty():
		t.hub.metrics.queued.Add(-1)
		return view{entry: s.queue.pop(), from: &t.hub.metrics.fromQueue}
	case s.fed:
		return view{}
	}
	t.meet(s)
	if e := t.recent.after(s.place); e != nil {
		s.place = e.Offset
		return view{entry: e, from: &t.hub.metrics.fromRing}
	}
	if s.place < t.head {
		return view{behind: true, old: t.head - int64(t.recent.n)}
	}
	if s.place > t.head && !s.real {
		return view{ahead: true}
	}
	s.fed = true
	return view{}
}
