package entity

import (
	"slices"
	"sync"
)

// Interest says which changes concern one who watches: those of the Types in the Projects, and the memberships of the User,
// in whatever project. A change of a user counts as one in every project. That a project is deleted, or that something in it
// was missed, concerns all who watch it.
type Interest struct {
	Projects []int64 // none: all
	Types    Type    // a set; 0: All
	User     int64   // 0: nobody
}

// Watch collects changes for one who waits for them. Safe for concurrent use.
type Watch struct {
	bus      *Bus
	interest Interest
	wake     chan struct{}

	mu      sync.Mutex
	pending Backlog
}

func newWatch(b *Bus, in Interest) *Watch {
	if in.Types == 0 {
		in.Types = All
	}
	in.Projects = slices.Clone(in.Projects)
	return &Watch{bus: b, interest: in, wake: make(chan struct{}, 1)}
}

// Wake returns a channel that has a token while there may be something to Take.
func (w *Watch) Wake() <-chan struct{} { return w.wake }

// Take returns the changes since the last call, in the order in which they were told; where they were too many to be kept
// (see Backlog), that some were missed. It does not wait: see Wake.
func (w *Watch) Take() []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending.Take()
}

// Close ends the watch. It may be called twice.
func (w *Watch) Close() { w.bus.forget(w) }

// offer takes c in if it concerns the watch.
func (w *Watch) offer(c Change) {
	if !w.concerns(c) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.pending.Add(c) {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watch) concerns(c Change) bool {
	if c.Type == Member && w.interest.User != 0 && c.User == w.interest.User {
		return true
	}
	ends := c.Type == Project && c.Kind == Deleted // and with it all that it owned
	return w.reaches(c.Project) && (c.Kind == Missed || ends || c.Type&w.interest.Types != 0)
}

// reaches reports whether what is told of a project is told to w for its projects' sake; 0 stands for what is of none.
func (w *Watch) reaches(project int64) bool {
	return project == 0 || len(w.interest.Projects) == 0 || slices.Contains(w.interest.Projects, project)
}
