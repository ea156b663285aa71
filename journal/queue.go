package journal

import (
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// request is one call of Append on its way through the flusher.
type request struct {
	project  int64
	readings []reading.Reading // in the order they were sent; the flusher may change them
	late     int
	done     chan answer // room for one
}

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
	readings int        // of the waiting
	closed   bool
}

func newQueue(maxReadings int) *queue {
	return &queue{most: maxReadings, largest: min(maxReadings, reading.MaxEntry), wake: make(chan struct{}, 1)}
}

// put adds r at the end or says at once why not.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch n := len(r.readings); {
	case q.closed:
		return fault.New(fault.Unavailable, "the server is stopping").After(time.Second)
	case n > q.largest:
		return fault.New(fault.TooLarge, "at most %d readings are taken at once", q.largest)
	case q.readings+n > q.most:
		return fault.New(fault.TooMany, "too many readings are waiting to be stored").After(time.Second)
	}
	q.waiting = append(q.waiting, r)
	q.readings += len(r.readings)
	select {
	case q.wake <- struct{}{}:
	default: // the flusher will look anyway
	}
	return nil
}

// take moves requests from the front to dst: as many as have maxReadings readings together, but at least one.
func (q *queue) take(dst []*request, maxReadings int) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, readings := 0, 0
	for _, r := range q.waiting {
		if taken > 0 && readings+len(r.readings) > maxReadings {
			break
		}
		taken++
		readings += len(r.readings)
	}
	dst = append(dst, q.waiting[:taken]...)
	rest := copy(q.waiting, q.waiting[taken:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.readings -= readings
	return dst
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
