package journal

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// errGone is the answer to whoever waits for a project that is forgotten meanwhile.
var errGone = fault.New(fault.NotFound, "this project does not exist any more")

// project is what the Follower knows of one project. Its fields change under mu and may be read without.
type project struct {
	id      int64
	applied atomic.Int64 // the last offset that the views have; they get the next one under mu
	known   atomic.Int64 // the highest offset known to be committed
	packed  atomic.Int64 // the highest offset known to be packed
	trimmed atomic.Int64 // what the views were told of that
	started atomic.Bool  // the views know where it starts
	loaded  atomic.Bool  // the views had, once, all that was committed

	mu      sync.Mutex // never held while the database works
	gone    bool
	behind  time.Time // since when more is known to be committed than the views have; zero: they have all
	running *catchUp  // the one that is under way; nil when none is
}

// catchUp is a read of the journal for the views, by one goroutine for all who want it.
type catchUp struct {
	done chan struct{} // closed at its end
	err  error         // valid then
}

// current reports whether the views have all that is known to be committed.
func (p *project) current() bool { return p.loaded.Load() && p.applied.Load() >= p.known.Load() }

// committed takes note of e and applies it if it is the next one. It reports whether that is for the caller to mend: the
// views miss e and nobody is reading the journal for them.
func (p *project) committed(views []View, e Entry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.note()
	p.known.Store(max(p.known.Load(), e.Offset))
	if p.gone || p.running != nil || !p.loaded.Load() {
		return false // whoever is reading, or will be the first to, goes on to what is known
	}
	if e.Offset == p.applied.Load()+1 {
		p.apply(views, e)
	}
	return !p.current()
}

// learn takes note that everything up to the offset head is committed, and up to packedTo packed.
func (p *project) learn(head, packedTo int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.note()
	p.known.Store(max(p.known.Load(), head))
	p.packed.Store(max(p.packed.Load(), packedTo))
}

// trim tells those views that want to know how much of what they have is packed. Without mu: it may take its time.
func (p *project) trim(views []View) {
	upto := min(p.packed.Load(), p.applied.Load())
	told := p.trimmed.Load()
	for upto > told && !p.trimmed.CompareAndSwap(told, upto) {
		told = p.trimmed.Load()
	}
	if upto <= told {
		return
	}
	for _, v := range views {
		if v, ok := v.(Trimmer); ok {
			v.Trim(p.id, upto)
		}
	}
}

// apply is called with mu held.
func (p *project) apply(views []View, e Entry) {
	for _, v := range views {
		v.Apply(e)
	}
	p.applied.Store(e.Offset)
	p.note()
}

// note keeps since when the views have not had all. With mu held.
func (p *project) note() {
	switch {
	case p.applied.Load() >= p.known.Load():
		p.behind = time.Time{}
	case p.behind.IsZero():
		p.behind = time.Now()
	}
}

// since returns since when the views have not had all that is known to be committed; zero: they have, or have never begun.
func (p *project) since() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || !p.loaded.Load() || p.current() {
		return time.Time{}
	}
	return p.behind
}

// catchUp returns when the views have all that is known to be committed: by reading it, or by waiting for who does.
func (p *project) catchUp(ctx context.Context, f *Follower) error {
	for !p.current() {
		run, mine, err := p.join()
		if err != nil || run == nil {
			return err
		}
		if mine {
			for ended := false; !ended; {
				ended = p.end(run, p.read(ctx, f))
			}
			return run.err
		}
		if err := run.wait(ctx); err != nil {
			return err
		}
		// The reader's own context says nothing of ours: then we read.
		if run.err != nil && !errors.Is(run.err, context.Canceled) && !errors.Is(run.err, context.DeadlineExceeded) {
			return run.err
		}
	}
	return nil
}

// wait returns when the run is over, or with an error when ctx is.
func (run *catchUp) wait(ctx context.Context) error {
	select {
	case <-run.done:
		return nil
	case <-ctx.Done():
		return fault.Wrap(context.Cause(ctx), fault.Unavailable, "loading the project took too long")
	}
}

// settle waits for the catch-up that is under way, if any.
func (p *project) settle(ctx context.Context) {
	if p.current() {
		return
	}
	p.mu.Lock()
	run := p.running
	p.mu.Unlock()
	if run != nil {
		_ = run.wait(ctx)
	}
}

// join returns the catch-up that is under way, or a new one that is the caller's to do; nil when none is needed.
func (p *project) join() (run *catchUp, mine bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone:
		return nil, false, errGone
	case p.current():
		return nil, false, nil // while we waited for the lock
	case p.running != nil:
		return p.running, false, nil
	}
	p.running = &catchUp{done: make(chan struct{})}
	return p.running, true, nil
}

// end finishes run, unless err is nil and more was committed since the last read: then it reports false. Under mu, so
// that committed either sees the run going on, or the run sees what committed took note of.
func (p *project) end(run *catchUp, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && p.applied.Load() < p.known.Load() {
		return false
	}
	if err == nil {
		p.loaded.Store(true)
	}
	p.running = nil
	run.err = err
	close(run.done)
	return true
}

func (p *project) isGone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// forget ends the project for all who wait for it and for the views.
func (p *project) forget(views []View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for _, v := range views {
		v.ForgetProject(p.id)
	}
}
