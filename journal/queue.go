package journal

import (
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// request is one call of Append or Delete on its way through the flusher.
type request struct {
	project   int64
	readings  []reading.Reading // in the order they were sent; the flusher may change them
	deletions []reading.Deletion
	names     int64 // see AppendNamed
	late      int
	done      chan answer // room for one
}

// size is what the request counts in the queue's bound: its readings, or deletions as if they were such.
func (r *request) size() int { return len(r.readings) + len(r.deletions) }

// deletes reports whether it is a call of Delete.
func (r *request) deletes() bool { return len(r.deletions) > 0 }

type answer struct {
	ack Ack
	err error
}

// queue is the bounded line in front of the flusher. Safe for concurrent use.
type queue struct {
	most    int           // readings that may wait
	largest int           // readings of one request: what waits, and what an entry holds
	wake    chan struct{} // has a token when there may be something to take

	mu       sync.Mutex
	waiting  []*request // first in, first out
	readings int        // of the waiting: their sizes
	deletes  int        // of the waiting that delete
	closed   bool
}

func newQueue(maxReadings int) *queue {
	return &queue{most: maxReadings, largest: min(maxReadings, reading.MaxEntry), wake: make(chan struct{}, 1)}
}

// put adds r at the end or says at once why not.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch n := r.size(); {
	case q.closed:
		return fault.New(fault.Unavailable, "the server is stopping").After(time.Second)
	case len(r.deletions) > reading.MaxDeletions:
		return fault.New(fault.TooLarge, "at most %d deletions are taken at once", reading.MaxDeletions)
	case n > q.largest:
		return fault.New(fault.TooLarge, "at most %d readings are taken at once", q.largest)
	case q.readings+n > q.most:
		return fault.New(fault.TooMany, "too many readings are waiting to be stored").After(time.Second)
	}
	q.waiting = append(q.waiting, r)
	q.readings += r.size()
	if r.deletes() {
		q.deletes++
	}
	select {
	case q.wake <- struct{}{}:
	default: // the flusher will look anyway
	}
	return nil
}

// take moves requests from the front to dst: as many as have maxReadings readings together, but at least one; and a
// deletion never along with another request of its project, as they have an order and it is an entry of its own.
func (q *queue) take(dst []*request, maxReadings int) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, readings := 0, 0
	mixed := q.mixture()
	for _, r := range q.waiting {
		if taken > 0 && readings+r.size() > maxReadings || mixed(r) {
			break
		}
		taken++
		readings += r.size()
		if r.deletes() {
			q.deletes--
		}
	}
	dst = append(dst, q.waiting[:taken]...)
	rest := copy(q.waiting, q.waiting[taken:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.readings -= readings
	return dst
}

// mixture returns a function that reports whether a request and one of its project that it was called with before are
// not both readings.
func (q *queue) mixture() func(*request) bool {
	if q.deletes == 0 {
		return func(*request) bool { return false }
	}
	deletes := make(map[int64]bool)
	return func(r *request) bool {
		before, ok := deletes[r.project]
		deletes[r.project] = r.deletes()
		return ok && (before || r.deletes())
	}
}

// close makes every later put fail; what is waiting can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// size returns how many readings wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.readings
}
