package live

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// FeedConfig sets the limits of Feeds; its zero value is right.
type FeedConfig struct {
	MaxPayloads int // kept in a feed for the listeners that lag; 0 = 256
	MaxBytes    int // the same in bytes; the newest is kept in any case; 0 = 1 MiB
	MaxAllBytes int // kept in all feeds together, but for the newest of each; 0 = 32 MiB
}

// Feeds shares executions: those who join with the same key listen to one feed, which runs while somebody listens. Its
// goroutine is the only one; publishing waits for nobody. Safe for concurrent use.
type Feeds[P Payload] struct {
	cfg     FeedConfig
	told    func(P)
	running sync.WaitGroup

	mu     sync.Mutex // before a feed's own
	feeds  map[string]*feed[P]
	ctx    context.Context // of all executions
	cancel context.CancelFunc

	bytes     atomic.Int64 // that all feeds keep
	published atomic.Int64
	overruns  atomic.Int64
}

// NewFeeds returns Feeds without any. told is told of each payload when all listeners of its feed have been woken; nil: nobody is.
func NewFeeds[P Payload](cfg FeedConfig, told func(P)) *Feeds[P] {
	cfg.MaxPayloads = cmp.Or(cfg.MaxPayloads, 256)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 1<<20)
	cfg.MaxAllBytes = cmp.Or(cfg.MaxAllBytes, 32<<20)
	f := &Feeds[P]{cfg: cfg, told: told, feeds: make(map[string]*feed[P])}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Join says where one begins to listen.
type Join struct {
	First   bool  // with what the producer says to a newcomer
	Again   bool  // he was here before and lagged behind
	AtLeast int64 // not before the feed has come to this place
}

// Join returns a listener to the feed of a key. open makes its producer where nobody listens to it yet, under a context
// that ends with the last who listens or waits to join, or with the Feeds. wake is called, by the feed's goroutine, whenever there may be something to take; it must not
// block, and may be called before Join has returned. Errors: the producer's, ctx's, Unavailable when the Feeds are closed.
func (f *Feeds[P]) Join(
	ctx context.Context, key string, how Join, open func(context.Context) (Producer[P], error), wake func(),
) (*Listener[P], error) {
	j := &join[P]{how: how, listener: &Listener[P]{wake: wake}, done: make(chan error, 1)}
	if err := f.knock(key, j, open); err != nil {
		return nil, err
	}
	select {
	case err := <-j.done:
		if err != nil {
			j.listener.Leave()
			return nil, err
		}
		return j.listener, nil
	case <-ctx.Done():
		j.listener.Leave()
		return nil, ctx.Err()
	}
}

// knock hands a join to the feed of a key, a new one if need be.
func (f *Feeds[P]) knock(key string, j *join[P], open func(context.Context) (Producer[P], error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return fault.New(fault.Unavailable, "the server is stopping").After(time.Second)
	}
	shared := f.feeds[key]
	if shared == nil {
		shared = f.begin(key, open)
	}
	j.listener.feed = shared
	shared.wanted++
	shared.joining = append(shared.joining, j)
	if shared.interrupt != nil {
		shared.interrupt()
	}
	return nil
}

// begin starts a feed. Under the lock.
func (f *Feeds[P]) begin(key string, open func(context.Context) (Producer[P], error)) *feed[P] {
	ctx, stop := context.WithCancel(f.ctx)
	begun := &feed[P]{feeds: f, key: key, stop: stop, listeners: make(map[*Listener[P]]struct{})}
	f.feeds[key] = begun
	f.running.Add(1)
	go begun.run(ctx, open)
	return begun
}

// Close ends all feeds and returns when they have ended.
func (f *Feeds[P]) Close() {
	f.mu.Lock()
	f.cancel()
	f.mu.Unlock()
	f.running.Wait()
}

// Count returns how many feeds there are.
func (f *Feeds[P]) Count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.feeds)
}

// Published returns how many payloads were published so far; Overruns how often a listener was left behind.
func (f *Feeds[P]) Published() int64 { return f.published.Load() }

// Overruns returns how often a listener was left behind by the payloads that are kept.
func (f *Feeds[P]) Overruns() int64 { return f.overruns.Load() }
