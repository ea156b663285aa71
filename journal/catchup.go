package journal

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/readout-dev/readout/store"
)

// catchUpAtOnce is how many projects are read at the same time for who catches up with many.
const catchUpAtOnce = 4

// followed returns the projects that are followed.
func (f *Follower) followed() []int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Collect(maps.Keys(f.projects))
}

// catchUpSome is CatchUp for many projects: one statement, and more only for those that are behind.
func (f *Follower) catchUpSome(ctx context.Context, ids []int64) error {
	followed, err := f.learn(ctx, ids)
	if err != nil {
		return err
	}
	return f.readOn(ctx, followed)
}

// readOn brings the views of followed up to what is known. It goes on after an error of one project, whose Follow will
// try again.
func (f *Follower) readOn(ctx context.Context, followed []*project) error {
	errs := make([]error, len(followed))
	places := make(chan struct{}, catchUpAtOnce)
	var reading sync.WaitGroup
	for i, p := range followed {
		if p.current() {
			p.trim(f.views)
			continue
		}
		places <- struct{}{}
		reading.Go(func() {
			errs[i] = f.catchUp(ctx, p)
			<-places
		})
	}
	reading.Wait()
	return errors.Join(errs...)
}

// catchUp brings the views of p up to what is known.
func (f *Follower) catchUp(ctx context.Context, p *project) error {
	err := p.catchUp(ctx, f)
	if errors.Is(err, errGone) {
		return nil
	}
	if err == nil {
		p.trim(f.views)
	}
	return err
}

// learn asks for the heads of those of the projects that are followed, and returns these. From then on none of them counts
// as current before its views have what the heads say.
func (f *Follower) learn(ctx context.Context, ids []int64) ([]*project, error) {
	var followed []*project
	var known, applied []int64
	for _, id := range ids {
		if p := f.project(id); p != nil {
			followed, known, applied = append(followed, p), append(known, id), append(applied, p.applied.Load())
		}
	}
	if len(followed) == 0 {
		return nil, nil
	}
	heads, err := store.Heads(ctx, f.reader.pool, known)
	if err != nil {
		return nil, store.Fault(err)
	}
	at := make(map[int64]store.JournalHead, len(heads))
	for _, h := range heads {
		at[h.Project] = h
	}
	for i, p := range followed {
		if h := at[p.id]; h.Head >= applied[i] {
			p.learn(h.Head, h.PackedTo)
		} else {
			f.Forget(p.id) // it was deleted
		}
	}
	return slices.DeleteFunc(followed, func(p *project) bool { return p.isGone() }), nil
}
