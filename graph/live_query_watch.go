package graph

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/entity"
)

// watch waits for changes of what the last execution of a query read: of the entities in the projects that its principal sees,
// and of the readings of series. Nothing slips through between an execution and the wait for what comes after it: the
// entities are watched before they are read, and the journal from the place on that it had before readings were read. One
// goroutine has it.
type watch struct {
	*Resolver
	types entity.Type

	changes  *entity.Watch
	projects []int64 // whose entities are watched
	series   map[int64]*seriesWatch

	changed   bool
	lost      bool      // what was read cannot be waited for
	committed time.Time // when the newest change was committed that was waited for
}

// before is called before an execution: it sees to it that the entities are watched that the principal sees. What was told of
// them until now is in what is read then.
func (w *watch) before(ctx context.Context) error {
	for {
		if w.changes != nil {
			w.changes.Take()
		}
		seen, err := w.visible(ctx)
		if err != nil {
			return err
		}
		if w.changes != nil && slices.Equal(seen, w.projects) { // and these are watched since before they were asked for
			return nil
		}
		if w.changes != nil {
			w.changes.Close()
		}
		in := entity.Interest{Projects: seen, Types: w.types, User: auth.FromContext(ctx).User}
		if len(seen) == 0 {
			in.Projects = []int64{0} // none, where an empty list is all
		}
		w.changes, w.projects = w.Entities.Watch(in), seen
	}
}

// visible returns the projects that the principal of ctx sees.
func (w *watch) visible(ctx context.Context) ([]int64, error) {
	if p := auth.FromContext(ctx); p.Project != 0 {
		return []int64{p.Project}, nil
	}
	return w.Client.Project.Query().Order(project.ByID()).IDs(ctx)
}

// after is called after an execution: it follows the series that were read, behind the places that they were read at.
func (w *watch) after(read *reads) {
	read.mu.Lock()
	defer read.mu.Unlock()
	w.lost, w.changed = read.lost, false
	for project, s := range w.series {
		r := read.projects[project]
		goesOn, changed := s.goOn(r)
		if w.changed = w.changed || changed; !goesOn {
			s.subscription.Close()
			delete(w.series, project)
		}
	}
	for project, r := range read.projects {
		if w.series == nil {
			w.series = map[int64]*seriesWatch{}
		}
		if w.series[project] == nil {
			w.series[project] = follow(w.Hub, project, r)
		}
	}
}

// wait returns when something has changed since the last execution, or with ctx's error.
func (w *watch) wait(ctx context.Context) error {
	if !w.changed {
		w.changed = w.news(ctx)
	}
	if w.changed {
		return nil
	}
	return ctx.Err()
}

// news waits until something has changed; false when ctx has ended before.
func (w *watch) news(ctx context.Context) (changed bool) {
	waiting, stop := context.WithCancel(ctx)
	entries := make(chan time.Time, len(w.series))
	var all sync.WaitGroup
	for _, s := range w.series {
		all.Go(func() {
			if at, ok := s.next(waiting); ok {
				entries <- at
			}
		})
	}
	note := func(at time.Time) {
		changed = true
		if at.After(w.committed) {
			w.committed = at
		}
	}
	for ended := false; !changed && !ended; {
		select {
		case at := <-entries:
			note(at)
		case <-w.changes.Wake():
			if c := w.changes.Take(); len(c) > 0 {
				note(time.UnixMicro(c[len(c)-1].At).UTC())
			}
		case <-ctx.Done():
			ended = true
		}
	}
	stop()
	all.Wait() // a subscription belongs to one goroutine, and what it has returned is not returned again
	close(entries)
	for at := range entries {
		note(at)
	}
	return changed
}

// takeCommitted returns when the newest change was committed that has been waited for; zero when it is not known.
func (w *watch) takeCommitted() time.Time {
	at := w.committed
	w.committed = time.Time{}
	return at
}

func (w *watch) close() {
	if w.changes != nil {
		w.changes.Close()
	}
	for _, s := range w.series {
		s.subscription.Close()
	}
}
