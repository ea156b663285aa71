package journal

import (
	"sync"

	"github.com/readout-dev/readout/entity"
)

// outboxProjects is how many projects wait to be told of by name; more are told of by telling everybody to look.
const outboxProjects = 10_000

// outbox holds what is to be told to the other replicas, each thing once. Safe for concurrent use.
type outbox struct {
	from string
	wake chan struct{} // has a token when there is something

	mu       sync.Mutex
	hello    bool
	here     bool
	projects map[int64]bool
	changes  entity.Backlog
}

func newOutbox(from string) *outbox {
	return &outbox{from: from, wake: make(chan struct{}, 1), projects: make(map[int64]bool)}
}

// wrote puts in that there is news of a project.
func (o *outbox) wrote(project int64) {
	o.put(func() {
		if o.projects[project] = true; len(o.projects) > outboxProjects {
			o.here = true
			clear(o.projects)
		}
	})
}

// changed puts in changes of entities.
func (o *outbox) changed(changes ...entity.Change) {
	o.put(func() {
		for _, c := range changes {
			o.changes.Add(c)
		}
	})
}

// say puts in a notice of the kind hello or here.
func (o *outbox) say(kind string) {
	o.put(func() {
		o.hello = o.hello || kind == saysHello
		o.here = o.here || kind == saysHere
	})
}

func (o *outbox) put(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
	select {
	case o.wake <- struct{}{}:
	default: // whoever sends will look anyway
	}
}

// take empties it. Who is told to look for entries, at a hello or a here, need not be told where.
func (o *outbox) take() (notices []notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.hello:
		notices = []notice{{kind: saysHello, from: o.from}}
	case o.here:
		notices = []notice{{kind: saysHere, from: o.from}}
	case len(o.projects) > 0:
		n := notice{kind: saysWrote, from: o.from}
		for p := range o.projects {
			n.projects = append(n.projects, p)
		}
		notices = []notice{n}
	}
	o.hello, o.here = false, false
	clear(o.projects)
	if changes := o.changes.Take(); len(changes) > 0 {
		notices = append(notices, notice{kind: saysChanged, from: o.from, changes: changes})
	}
	return notices
}
