package entity

import "sync"

// Bus brings changes to those who watch. Its zero value is ready. Safe for concurrent use.
type Bus struct {
	mu       sync.RWMutex
	hearers  map[*hearer]struct{}
	wide     set // of all projects
	projects index
	users    index
}

type (
	hearer struct{ hear func([]Change) }
	set    map[*Watch]struct{}
	index  map[int64]set
)

// Publish tells of changes, after their commit. It waits for nobody who watches, and costs what it costs to tell those whom
// the changes concern. changes must not be altered afterwards.
func (b *Bus) Publish(changes ...Change) {
	if len(changes) == 0 {
		return
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for h := range b.hearers {
		h.hear(changes)
	}
	for _, c := range changes {
		b.tell(c)
	}
}

// tell is called with mu held.
func (b *Bus) tell(c Change) {
	for w := range b.wide {
		w.offer(c)
	}
	if c.Project != 0 {
		for w := range b.projects[c.Project] {
			w.offer(c)
		}
	} else { // of a user, who may be in any project, or of everything
		for project, watches := range b.projects {
			for w := range watches {
				if w.interest.Projects[0] == project { // once, whatever others it watches
					w.offer(c)
				}
			}
		}
	}
	for w := range b.users[c.User] {
		if !w.reaches(c.Project) { // else it has been told
			w.offer(c)
		}
	}
}

// Hear has hear called with all changes, by the goroutine that publishes them and before Publish returns, until stop is
// called: for those who remember something that may not be so any more. hear must be quick; it must neither call the Bus
// nor alter what it is given.
func (b *Bus) Hear(hear func([]Change)) (stop func()) {
	h := &hearer{hear}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hearers == nil {
		b.hearers = map[*hearer]struct{}{}
	}
	b.hearers[h] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.hearers, h)
	}
}

// Watch begins to collect the changes that concern an interest. The caller closes the watch.
func (b *Bus) Watch(in Interest) *Watch {
	w := newWatch(b, in)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wide == nil {
		b.wide, b.projects, b.users = set{}, index{}, index{}
	}
	if len(in.Projects) == 0 {
		b.wide[w] = struct{}{}
	}
	b.projects.add(w, in.Projects...)
	if in.User != 0 {
		b.users.add(w, in.User)
	}
	return w
}

func (b *Bus) forget(w *Watch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.wide, w)
	b.projects.remove(w, w.interest.Projects...)
	b.users.remove(w, w.interest.User)
}

func (x index) add(w *Watch, ids ...int64) {
	for _, id := range ids {
		if x[id] == nil {
			x[id] = set{}
		}
		x[id][w] = struct{}{}
	}
}

func (x index) remove(w *Watch, ids ...int64) {
	for _, id := range ids {
		if delete(x[id], w); len(x[id]) == 0 {
			delete(x, id)
		}
	}
}
