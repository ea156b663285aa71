package live

import (
	"sync"

	"github.com/readout-dev/readout/journal"
)

// topic is what the hub knows of one project.
type topic struct {
	project int64

	mu     sync.RWMutex
	head   int64 // the last offset that was published
	recent ring  // ends at head, unless it is empty
	gone   bool
	wake   chan struct{} // closed, and replaced, at each change of the above
}

// publish makes e the head and wakes who waits for it.
func (t *topic) publish(e journal.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent.push(e)
	t.head = e.Offset
	close(t.wake)
	t.wake = make(chan struct{})
}

// skip moves the head to an offset behind entries that nobody will publish.
func (t *topic) skip(to int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head = to
	t.recent.clear()
	close(t.wake)
	t.wake = make(chan struct{})
}

// end makes every subscription end.
func (t *topic) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
	close(t.wake)
	t.wake = make(chan struct{})
}

// view is a topic as one subscriber finds it, at one moment.
type view struct {
	entry journal.Entry
	ok    bool  // entry is the one behind the subscriber's place
	head  int64 // the last offset that was published
	old   int64 // the last of these that the ring does not hold
	gone  bool
	wake  <-chan struct{} // closed when any of this changes
}

func (t *topic) look(after int64) view {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v := view{head: t.head, old: t.head - int64(t.recent.n), gone: t.gone, wake: t.wake}
	v.entry, v.ok = t.recent.after(after)
	return v
}
