package graph

import (
	"context"
	"sync"
	"time"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
)

// place is a stream's subscription to a project's journal. Its waiting ends when the project's series have changed, too: a
// filter may match others then. It belongs to one goroutine, as the subscription does.
type place struct {
	*live.Subscription
	project int64
	home    *places

	mu        sync.Mutex
	changed   bool               // the series have, since renewed was asked
	interrupt context.CancelFunc // ends the waiting; nil when nobody waits
}

// places are those of all streams that run. The zero value is ready; safe for concurrent use.
type places struct {
	mu sync.Mutex
	of map[int64]map[*place]struct{} // by project
}

// placeAt returns a place behind an offset of a project's journal, which is followed. The caller closes it.
func (r *Resolver) placeAt(project, after int64) *place {
	p := &place{Subscription: r.Hub.Subscribe(project, after), project: project, home: &r.places}
	p.home.mu.Lock()
	defer p.home.mu.Unlock()
	if p.home.of == nil {
		p.home.of = map[int64]map[*place]struct{}{}
	}
	if p.home.of[project] == nil {
		p.home.of[project] = map[*place]struct{}{}
	}
	p.home.of[project][p] = struct{}{}
	return p
}

// refilter says that devices or series of a project have changed or are gone: the streams that follow it look again which
// series they match. It need not be called for those that are new, which streams meet by their readings. It waits for
// nobody; safe for concurrent use.
func (r *Resolver) refilter(project int64) {
	r.places.mu.Lock()
	defer r.places.mu.Unlock()
	for p := range r.places.of[project] {
		p.renew()
	}
}

// Close ends the subscription.
func (p *place) Close() {
	p.Subscription.Close()
	p.home.mu.Lock()
	defer p.home.mu.Unlock()
	delete(p.home.of[p.project], p)
	if len(p.home.of[p.project]) == 0 {
		delete(p.home.of, p.project)
	}
}

func (p *place) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = true
	if p.interrupt != nil {
		p.interrupt()
	}
}

// renewed reports whether the series have changed since it was last asked.
func (p *place) renewed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := p.changed
	p.changed = false
	return changed
}

// await waits for the next entry, until a moment at most (zero: however long). ok is false when there is none: the moment
// has come, or the series have changed.
func (p *place) await(ctx context.Context, until time.Time) (e journal.Entry, ok bool, err error) {
	wait, cancel := p.waiting(ctx, until)
	defer cancel()
	e, err = p.Next(wait)
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		return e, false, nil
	}
	return e, err == nil, err
}

func (p *place) waiting(ctx context.Context, until time.Time) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if until.IsZero() {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithDeadline(ctx, until)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interrupt = cancel
	if p.changed {
		cancel()
	}
	return ctx, func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.interrupt = nil
	}
}
