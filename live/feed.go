package live

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrNothing is a Producer's answer when it has nothing to say to a newcomer.
var ErrNothing = errors.New("nothing to say to a newcomer")

// Payload is what a feed hands to its listeners: one for all of them, read only.
type Payload interface {
	Size() int     // bytes it takes in memory
	Offset() int64 // the place in the journal that a listener has come to with it; 0 without places
}

// Producer makes the payloads of one feed, in one goroutine.
type Producer[P Payload] interface {
	// First returns what a newcomer gets before all that Next returns from now on. ErrNothing: nothing. again says that he was
	// here before and lagged behind.
	First(ctx context.Context, again bool) (P, error)
	// Next waits for the next payload. When ctx ends it returns ctx's error and has lost nothing. Any other error ends the
	// feed for all; io.EOF without an error for them.
	Next(ctx context.Context) (P, error)
	// Place is the offset up to which Next has nothing left to return; 0 without places.
	Place() int64
	Close()
}

// feed is one execution for all who listen to it. Its goroutine asks the producer for payloads, keeps them in a ring as long
// as some listener lags, and wakes the listeners.
type feed[P Payload] struct {
	feeds *Feeds[P]
	key   string
	stop  context.CancelFunc // ends the execution

	mu        sync.RWMutex
	payloads  []P    // those that some listener has not taken, consecutive
	start     uint64 // the number of the first of them
	bytes     int
	listeners map[*Listener[P]]struct{}
	all       []*Listener[P] // the same; nil when it is to be made anew
	over      error          // why there are no further payloads; nil: there are

	// Under the lock of feeds.
	wanted    int // those who listen, and those who wait to join
	joining   []*join[P]
	interrupt context.CancelFunc // ends the wait for the next payload; nil when nobody waits
}

// join asks a feed for a listener.
type join[P Payload] struct {
	how      Join
	listener *Listener[P]
	done     chan error
}

// run serves those who join and makes payloads until nobody wants any or the producer ends.
func (f *feed[P]) run(ctx context.Context, open func(context.Context) (Producer[P], error)) {
	defer f.feeds.running.Done()
	defer f.stop()
	producer, err := open(ctx)
	if err != nil {
		f.end(err)
		return
	}
	defer producer.Close()
	f.end(f.produce(ctx, producer))
}

func (f *feed[P]) produce(ctx context.Context, producer Producer[P]) error {
	waiting, interrupt := context.WithCancel(ctx)
	defer func() { interrupt() }()
	for ctx.Err() == nil {
		if waiting.Err() != nil {
			waiting, interrupt = context.WithCancel(ctx)
		}
		joining, early := f.turn(producer.Place(), interrupt)
		if len(joining) > 0 {
			if err := f.admit(ctx, producer, joining); err != nil {
				return err
			}
			continue
		}
		payload, err := next(waiting, interrupt, producer, early)
		switch {
		case err == nil:
			f.publish(payload)
		case waiting.Err() == nil:
			return err
		}
	}
	return ctx.Err()
}

// recheck is how often a feed looks whether its place has moved on for somebody who is early: a producer does not return for
// that.
const recheck = 5 * time.Millisecond

func next[P Payload](waiting context.Context, interrupt context.CancelFunc, producer Producer[P], early bool) (P, error) {
	if early {
		defer time.AfterFunc(recheck, interrupt).Stop()
	}
	return producer.Next(waiting)
}

// turn returns those who can join at a place, or whether there are some who are early for it.
func (f *feed[P]) turn(place int64, interrupt context.CancelFunc) (joining []*join[P], early bool) {
	f.feeds.mu.Lock()
	defer f.feeds.mu.Unlock()
	f.interrupt = nil
	var later []*join[P]
	for _, j := range f.joining {
		if j.how.AtLeast <= place {
			joining = append(joining, j)
		} else {
			later = append(later, j)
		}
	}
	f.joining = later
	if len(joining) == 0 {
		f.interrupt = interrupt
	}
	return joining, len(later) > 0
}

// remove takes the feed from those that can be joined. Under the lock of feeds.
func (f *feed[P]) remove() {
	if f.feeds.feeds[f.key] == f {
		delete(f.feeds.feeds, f.key)
	}
}

// admit makes listeners of those who join, and has the producer say once what newcomers get.
func (f *feed[P]) admit(ctx context.Context, producer Producer[P], joining []*join[P]) (err error) {
	defer func() {
		for _, j := range joining { // whom a failure leaves
			j.done <- err
		}
	}()
	said := map[bool]*P{} // nil: asked, and there was nothing
	for len(joining) > 0 {
		j := joining[0]
		if j.how.First {
			first, asked := said[j.how.Again]
			if !asked {
				if first, err = say(ctx, producer, j.how.Again); err != nil {
					return err
				}
				said[j.how.Again] = first
			}
			j.listener.first = first
		}
		f.enter(j.listener, producer.Place())
		joining = joining[1:]
		j.done <- nil
	}
	return nil
}

func say[P Payload](ctx context.Context, producer Producer[P], again bool) (*P, error) {
	first, err := producer.First(ctx, again)
	if errors.Is(err, ErrNothing) {
		return nil, nil
	}
	return &first, err
}

func (f *feed[P]) enter(l *Listener[P], place int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.left {
		return
	}
	l.place.Store(place)
	l.next.Store(f.start + uint64(len(f.payloads)))
	f.listeners[l] = struct{}{}
	f.all = nil
}

// publish makes p the newest payload and wakes all listeners, one after the other: none may block. What they all have is
// let go.
func (f *feed[P]) publish(p P) {
	f.mu.Lock()
	f.payloads = append(f.payloads, p)
	f.bytes += p.Size()
	for len(f.payloads) > 1 && (len(f.payloads) > f.feeds.cfg.MaxPayloads || f.bytes > f.feeds.cfg.MaxBytes) {
		f.drop()
	}
	all := f.everybody()
	f.mu.Unlock()

	f.feeds.published.Add(1)
	for _, l := range all {
		l.wake()
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	slowest := f.start + uint64(len(f.payloads))
	for l := range f.listeners {
		slowest = min(slowest, l.next.Load())
	}
	for f.start < slowest && len(f.payloads) > 0 {
		f.drop()
	}
}

// everybody returns the listeners in a list that stays as it is. Under the lock.
func (f *feed[P]) everybody() []*Listener[P] {
	if f.all == nil {
		f.all = make([]*Listener[P], 0, len(f.listeners))
		for l := range f.listeners {
			f.all = append(f.all, l)
		}
	}
	return f.all
}

// drop lets the oldest payload go. Under the lock.
func (f *feed[P]) drop() {
	var none P
	f.bytes -= f.payloads[0].Size()
	f.payloads[0] = none
	f.payloads = f.payloads[1:]
	f.start++
	if len(f.payloads) == 0 {
		f.payloads = nil
	}
}

// end tells all that there are no further payloads, and those who were about to join.
func (f *feed[P]) end(err error) {
	f.feeds.mu.Lock()
	f.remove()
	joining := f.joining
	f.joining = nil
	f.feeds.mu.Unlock()

	f.mu.Lock()
	f.over = err
	all := f.everybody()
	f.mu.Unlock()
	for _, j := range joining {
		j.done <- err
	}
	for _, l := range all {
		l.wake()
	}
}

// leave takes a listener out, or one who waits to join; the last one ends the execution.
func (f *feed[P]) leave(l *Listener[P]) {
	f.mu.Lock()
	first := !l.left
	l.left = true
	delete(f.listeners, l)
	f.all = nil
	f.mu.Unlock()
	if !first {
		return
	}
	f.feeds.mu.Lock()
	defer f.feeds.mu.Unlock()
	f.joining = slices.DeleteFunc(f.joining, func(j *join[P]) bool { return j.listener == l })
	if f.wanted--; f.wanted == 0 {
		f.remove()
		f.stop()
	}
}
