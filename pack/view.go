package pack

import (
	"sync"
	"time"

	"github.com/readout-dev/readout/journal"
)

var _ interface {
	journal.View
	journal.Trimmer
} = (*Packer)(nil)

// Start implements journal.View.
func (p *Packer) Start(b journal.Beginning) { p.backlog.start(b.Project) }

// Apply implements journal.View: the entry waits to be packed.
func (p *Packer) Apply(e journal.Entry) {
	p.backlog.add(e.Project, mark{e.Offset, len(e.Readings) + len(e.Deletions), time.Now()}, p.cfg.MaxUnpacked)
}

// ForgetProject implements journal.View.
func (p *Packer) ForgetProject(project int64) { p.backlog.start(project) }

// Trim implements journal.Trimmer: somebody, maybe another process, has packed the project up to the offset upto.
func (p *Packer) Trim(project, upto int64) { p.backlog.trim(project, upto) }

// mark is some entries of a journal that wait.
type mark struct {
	upto     int64 // offset of the last one
	readings int
	at       time.Time // when the first one came, by our clock
}

// maxMarks is how exactly it is known what of a project waits.
const maxMarks = 1024

// backlog knows what waits to be packed. Safe for concurrent use.
type backlog struct {
	woken chan struct{} // has a token when there is something new to consider

	mu       sync.Mutex
	total    int // readings
	projects map[int64]*waiting
}

// waiting is what waits of a project.
type waiting struct {
	marks []mark // in order
	total int    // readings
}

func newBacklog() *backlog {
	return &backlog{woken: make(chan struct{}, 1), projects: make(map[int64]*waiting)}
}

// start forgets what waits of a project.
func (b *backlog) start(project int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.projects[project]; w != nil {
		b.total -= w.total
		delete(b.projects, project)
	}
}

// add notes that entries wait. It wakes when they are the first of the project, or when more than max readings wait.
func (b *backlog) add(project int64, m mark, max int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.projects[project]
	if w == nil {
		w = &waiting{}
		b.projects[project] = w
	}
	if len(w.marks) == 0 || b.total <= max && b.total+m.readings > max {
		b.wake()
	}
	w.marks = append(w.marks, m)
	w.total += m.readings
	b.total += m.readings
	if len(w.marks) == maxMarks {
		w.halve()
	}
}

// halve puts each two marks together.
func (w *waiting) halve() {
	for i := range maxMarks / 2 {
		a, b := w.marks[2*i], w.marks[2*i+1]
		w.marks[i] = mark{b.upto, a.readings + b.readings, a.at}
	}
	w.marks = w.marks[:maxMarks/2]
}

func (b *backlog) wake() {
	select {
	case b.woken <- struct{}{}:
	default:
	}
}

// trim drops what is packed.
func (b *backlog) trim(project, upto int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.projects[project]
	if w == nil {
		return
	}
	n := 0
	for n < len(w.marks) && w.marks[n].upto <= upto {
		w.total -= w.marks[n].readings
		b.total -= w.marks[n].readings
		n++
	}
	if w.marks = w.marks[:copy(w.marks, w.marks[n:])]; len(w.marks) == 0 {
		delete(b.projects, project)
	}
}

// known returns the offset of the last entry of the project that is known to wait, 0 without one.
func (b *backlog) known(project int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.projects[project]; w != nil {
		return w.marks[len(w.marks)-1].upto
	}
	return 0
}

// readings returns how many readings wait.
func (b *backlog) readings() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return float64(b.total)
}

// age returns for how many seconds the oldest reading has waited.
func (b *backlog) age() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var oldest time.Time
	for _, w := range b.projects {
		if at := w.marks[0].at; oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	if oldest.IsZero() {
		return 0
	}
	return max(time.Since(oldest).Seconds(), 0)
}

// state is what waits of a project, for who decides what to pack.
type state struct {
	project  int64
	readings int
	since    time.Time // when the oldest entry came
}

// list returns what waits, and how many readings that is.
func (b *backlog) list() (all []state, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for project, w := range b.projects {
		all = append(all, state{project, w.total, w.marks[0].at})
	}
	return all, b.total
}
