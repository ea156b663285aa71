package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
	// here before and lagged behind. Any other error goes to the newcomers alone: one that concerns all is Next's to return.
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
	came      int64          // listeners so far
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
	f.end(f.execute(ctx, open))
}

// execute returns why there are no further payloads, a panic of the producer too: nothing above it would recover.
func (f *feed[P]) execute(ctx context.Context, open func(context.Context) (Producer[P], error)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a feed: %v\n%s", p, debug.Stack())
		}
	}()
	producer, err := open(ctx)
	if err != nil {
		return err
	}
	defer producer.Close()
	return f.produce(ctx, producer)
}

func (f *feed[P]) produce(ctx context.Context, producer Producer[P]) error {
	waiting, interrupt := context.WithCancel(ctx)
	defer func() { interrupt() }()
	recheck, before := soon, 0
	for ctx.Err() == nil {
		if waiting.Err() != nil {
			waiting, interrupt = context.WithCancel(ctx)
		}
		joining, early := f.turn(producer.Place(), interrupt)
		if len(joining) > 0 {
			f.admit(ctx, producer, joining)
			continue
		}
		if early != before { // somebody else waits
			recheck, before = soon, early
		}
		payload, err := next(waiting, interrupt, producer, early > 0, recheck)
		switch {
		case err == nil:
			f.publish(payload)
			recheck = soon
		case waiting.Err() == nil:
			return err
		default:
			recheck = min(2*recheck, late)
		}
	}
	return ctx.Err()
}

// A feed looks now and then whether its place has moved on for somebody who is early, since a producer does not return for
// that: soon at first, and ever later while it has not.
const (
	soon = 5 * time.Millisecond
	late = 500 * time.Millisecond
)

func next[P Payload](
	waiting context.Context, interrupt context.CancelFunc, producer Producer[P], early bool, recheck time.Duration,
) (P, error) {
	if early {
		defer time.AfterFunc(recheck, interrupt).Stop()
	}
	return producer.Next(waiting)
}

// turn returns those who can join at a place, and how many are early for it.
func (f *feed[P]) turn(place int64, interrupt context.CancelFunc) (joining []*join[P], early int) {
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
	return joining, len(later)
}

// remove takes the feed from those that can be joined. Under the lock of feeds.
func (f *feed[P]) remove() {
	if f.feeds.feeds[f.key] == f {
		delete(f.feeds.feeds, f.key)
	}
}

// admit makes listeners of those who join, and has the producer say once what newcomers get. A failure of that is theirs alone.
func (f *feed[P]) admit(ctx context.Context, producer Producer[P], joining []*join[P]) {
	defer func() {
		for _, j := range joining { // whom a panic leaves
			j.done <- errPanic
		}
	}()
	said := map[bool]func() (*P, error){}
	for len(joining) > 0 {
		j, err := joining[0], error(nil)
		if j.how.First {
			say := said[j.how.Again]
			if say == nil {
				say = sync.OnceValues(func() (*P, error) { return first(ctx, producer, j.how.Again) })
				said[j.how.Again] = say
			}
			j.listener.first, err = say()
		}
		if err == nil {
			f.enter(j.listener, producer.Place())
		}
		joining = joining[1:]
		j.done <- err
	}
}

var errPanic = errors.New("panic in a feed")

// first returns what newcomers get; nil: nothing.
func first[P Payload](ctx context.Context, producer Producer[P], again bool) (*P, error) {
	p, err := producer.First(ctx, again)
	switch {
	case errors.Is(err, ErrNothing):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &p, nil
}

func (f *feed[P]) enter(l *Listener[P], place int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.left {
		return
	}
	l.place.Store(place)
	l.next.Store(f.start + uint64(len(f.payloads)))
	f.came++
	l.order = f.came
	f.listeners[l] = struct{}{}
	f.all = nil
}

// publish makes p the newest payload and wakes all listeners, one after the other: none may block. What they all have is
// let go.
func (f *feed[P]) publish(p P) {
	f.mu.Lock()
	f.payloads = append(f.payloads, p)
	f.bytes += p.Size()
	f.feeds.bytes.Add(int64(p.Size()))
	for len(f.payloads) > 1 && f.full() {
		f.drop()
	}
	all, end := f.everybody(), f.start+uint64(len(f.payloads))
	f.mu.Unlock()

	f.feeds.published.Add(1)
	slowest := end // of those who have come meanwhile, too
	for _, l := range all {
		l.wake()
		slowest = min(slowest, l.next.Load())
	}
	if f.feeds.told != nil {
		f.feeds.told(p)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	for f.start < slowest && len(f.payloads) > 0 {
		f.drop()
	}
}

// full reports whether more is kept than may be. Under the lock.
func (f *feed[P]) full() bool {
	cfg := f.feeds.cfg
	return len(f.payloads) > cfg.MaxPayloads || f.bytes > cfg.MaxBytes || f.feeds.bytes.Load() > int64(cfg.MaxAllBytes)
}

// everybody returns the listeners in a list that stays as it is, in the order in which they came: that is also how they, and what
// they write to, lie in memory, which saves a fifth of the work where there are thousands. Under the lock.
func (f *feed[P]) everybody() []*Listener[P] {
	if f.all == nil {
		f.all = make([]*Listener[P], 0, len(f.listeners))
		for l := range f.listeners {
			f.all = append(f.all, l)
		}
		slices.SortFunc(f.all, func(a, b *Listener[P]) int { return cmp.Compare(a.order, b.order) })
	}
	return f.all
}

// drop lets the oldest payload go. Under the lock.
func (f *feed[P]) drop() {
	var none P
	size := f.payloads[0].Size()
	f.bytes -= size
	f.feeds.bytes.Add(-int64(size))
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
	for len(f.listeners) == 0 && len(f.payloads) > 0 {
		f.drop()
	}
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
