package live

import "sync/atomic"

// Listener is one who listens to a feed: a place among its payloads. It belongs to one goroutine at a time; the feed
// only wakes it.
type Listener[P Payload] struct {
	feed *feed[P]
	wake func()

	first *P            // what a newcomer gets, before the feed's payloads; shared by all who came at the same time; nil: nothing
	next  atomic.Uint64 // the number of the payload to take next
	place atomic.Int64
	left  bool  // under the feed's lock
	order int64 // in which they came
}

// State is what a listener finds.
type State uint8

// What Take finds: a payload; nothing, until the listener is woken; that the feed has left it behind, so that it is to leave
// and to join anew; or the end of the feed.
const (
	Taken State = iota
	Waiting
	Behind
	Over
)

// Take returns the next payload, if there is one.
func (l *Listener[P]) Take() (p P, state State) {
	if first := l.first; first != nil {
		l.first = nil
		return *first, Taken
	}
	f := l.feed
	f.mu.RLock()
	defer f.mu.RUnlock()
	switch next := l.next.Load(); {
	case next < f.start:
		f.feeds.overruns.Add(1)
		return p, Behind
	case next < f.start+uint64(len(f.payloads)):
		p = f.payloads[next-f.start]
		l.next.Store(next + 1)
		l.place.Store(p.Offset())
		return p, Taken
	case f.over != nil:
		return p, Over
	}
	return p, Waiting
}

// Place returns the offset up to which the listener has had everything; 0 without places.
func (l *Listener[P]) Place() int64 { return l.place.Load() }

// Err returns why the feed is over: io.EOF when it has simply come to its end; nil while it is not.
func (l *Listener[P]) Err() error {
	l.feed.mu.RLock()
	defer l.feed.mu.RUnlock()
	return l.feed.over
}

// Lag returns how many payloads there are that the listener has not taken. Safe for concurrent use.
func (l *Listener[P]) Lag() int {
	l.feed.mu.RLock()
	defer l.feed.mu.RUnlock()
	return int(l.feed.start + uint64(len(l.feed.payloads)) - l.next.Load())
}

// Sharing returns how many listen to the same feed. Safe for concurrent use.
func (l *Listener[P]) Sharing() int {
	l.feed.mu.RLock()
	defer l.feed.mu.RUnlock()
	return len(l.feed.listeners)
}

// Leave ends the listening. The last one who leaves ends the execution. It may be called twice, and beside anything else.
func (l *Listener[P]) Leave() { l.feed.leave(l) }
