package journal

import (
	"sync"
	"sync/atomic"
)

// absences is in how many looks in a row a replica must be missing until it counts as ended: its listener may just be
// connecting anew.
const absences = 2

// presence is who else is there. Safe for concurrent use.
type presence struct {
	self   string
	shared *atomic.Bool  // somebody else may write: always so while we do not hear
	ready  chan struct{} // closed when, for the first time, all who were there know of us

	mu      sync.Mutex
	hearing bool
	overdue bool            // nobody waits any longer for those who do not answer
	others  map[string]int  // by id: in how many looks it was missing
	awaited map[string]bool // has not answered our hello
}

func newPresence(self string, shared *atomic.Bool) *presence {
	shared.Store(true)
	return &presence{
		self: self, shared: shared, ready: make(chan struct{}),
		others: make(map[string]int), awaited: make(map[string]bool),
	}
}

// hear begins a time in which everything is heard; listeners are those who were there when it began.
func (p *presence) hear(listeners []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hearing = true
	clear(p.awaited)
	for _, id := range listeners {
		if id != p.self {
			p.others[id] = 0
			p.awaited[id] = true
		}
	}
	p.changed()
}

// deafen ends that time.
func (p *presence) deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hearing = false
	p.changed()
}

// heard takes note of a notice from id, and reports whether id was not known, and whether it is the first since our hello that
// says that id knows of others. Its own hello does not: it may come from before ours.
func (p *presence) heard(id string, isHello bool) (isNew, isAnswer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.others[id]
	p.others[id] = 0
	if !isHello {
		isAnswer = p.awaited[id]
		delete(p.awaited, id)
	}
	p.changed()
	return !known, isAnswer
}

// look takes note of who listens, and reports whether one of them was not known, and whether somebody counts as ended now.
func (p *presence) look(listeners []string) (isNew, isGone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.others {
		p.others[id]++
	}
	for _, id := range listeners {
		if id != p.self {
			_, known := p.others[id]
			isNew = isNew || !known
			p.others[id] = 0
		}
	}
	for id, missing := range p.others {
		if missing >= absences {
			delete(p.others, id)
			delete(p.awaited, id)
			isGone = true
		}
	}
	p.changed()
	return isNew, isGone
}

// waitNoLonger makes ready whoever has not answered.
func (p *presence) waitNoLonger() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.overdue = true
	p.changed()
}

// known returns how many others there are.
func (p *presence) known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.others)
}

// changed is called with mu held.
func (p *presence) changed() {
	p.shared.Store(!p.hearing || len(p.others) > 0)
	if !p.hearing || len(p.awaited) > 0 && !p.overdue {
		return
	}
	select {
	case <-p.ready:
	default:
		close(p.ready)
	}
}
