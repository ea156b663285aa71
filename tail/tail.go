package tail

import (
	"sync"
	"sync/atomic"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Tail holds readings by project and series. It is a journal.View, a journal.Trimmer and a prometheus.Collector. Safe for
// concurrent use: a reader sees an entry in all its series or in none. What it returns is a copy.
type Tail struct {
	mu       sync.RWMutex
	projects map[int64]*project

	held held
}

// held counts what a Tail holds, for its metrics.
type held struct{ readings, filled, series, bytes atomic.Int64 }

var (
	_ journal.View    = (*Tail)(nil)
	_ journal.Trimmer = (*Tail)(nil)
)

// New returns an empty Tail.
func New() *Tail { return &Tail{projects: make(map[int64]*project)} }

// Start begins a project, or begins it anew.
func (t *Tail) Start(b journal.Beginning) {
	p := newProject(b, &t.held)
	t.mu.Lock()
	old := t.projects[b.Project]
	t.projects[b.Project] = p
	t.mu.Unlock()
	old.leave()
}

// Apply takes in the next entry of a project that was started.
func (t *Tail) Apply(e journal.Entry) {
	p := t.project(e.Project)
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for series, run := range reading.Runs(e.Readings) {
		p.add(series, run, e.Offset)
	}
	for _, d := range e.Deletions {
		p.delete(d, e.Offset)
	}
	p.offset = e.Offset
	p.held.take(&p.tally)
}

// Trim drops the readings and deletions that came with entries up to the offset upto. Readers and Apply wait for a small
// part of it only; a Snapshot that comes meanwhile finds the readings of a series either all there or those dropped.
func (t *Tail) Trim(projectID, upto int64) {
	p := t.project(projectID)
	if p == nil {
		return
	}
	for left := p.trimPending(upto); left > 0; {
		left = p.trimSome(left, upto)
	}
}

// ForgetProject drops all that is known of a project.
func (t *Tail) ForgetProject(projectID int64) {
	t.mu.Lock()
	p := t.projects[projectID]
	delete(t.projects, projectID)
	t.mu.Unlock()
	p.leave()
}

// Latest returns the newest reading of a series, packed or not, if its state is Known.
func (t *Tail) Latest(projectID, series int64) (r reading.Reading, state State) {
	p := t.project(projectID)
	if p == nil {
		return r, None
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := p.columns[series]
	if c == nil {
		return r, None
	}
	if c.newest.state != Known {
		return r, c.newest.state
	}
	return reading.Reading{Series: series, Time: c.newest.time, Value: c.newest.value}, Known
}

// LatestTime returns the time (µs) of the newest reading of a series: a journal.Latest. One that is Unknown counts as
// none.
func (t *Tail) LatestTime(projectID, series int64) (int64, bool) {
	r, state := t.Latest(projectID, series)
	return r.Time, state == Known
}

// Resolve tells what the newest reading of a series was as of offset, if there was some. It is for whoever found the
// Latest to be Unknown and looked; when it is not Unknown any more, or a later entry had a say in it, nothing changes.
func (t *Tail) Resolve(projectID, series int64, r reading.Reading, some bool, offset int64) {
	p := t.project(projectID)
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.columns[series]; c != nil && c.newest.resolve(r, some, offset) {
		p.change(c)
	}
}

// TakeChanged returns the newest readings, of most series at most, that have changed since it returned them last. Those
// that are Unknown are left out until they are resolved.
func (t *Tail) TakeChanged(most int) []store.Newest {
	t.mu.RLock()
	projects := make(map[int64]*project, len(t.projects))
	for id, p := range t.projects {
		projects[id] = p
	}
	t.mu.RUnlock()
	var taken []store.Newest
	for id, p := range projects {
		if len(taken) == most {
			break
		}
		taken = p.takeChanged(taken, id, most)
	}
	return taken
}

func (t *Tail) project(id int64) *project {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.projects[id]
}
