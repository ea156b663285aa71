package tail

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// Tail holds readings by project and series. It is a journal.View and a prometheus.Collector. Safe for concurrent use:
// a reader sees an entry in all its series or in none. What it returns is a copy.
type Tail struct {
	mu       sync.RWMutex
	projects map[int64]*project

	held held
}

// held counts what a Tail holds, for its metrics.
type held struct{ readings, series, bytes atomic.Int64 }

// project is the tail of one project.
type project struct {
	mu      sync.RWMutex
	offset  int64 // of the last entry applied
	columns map[int64]*column
}

var _ journal.View = (*Tail)(nil)

// New returns an empty Tail.
func New() *Tail { return &Tail{projects: make(map[int64]*project)} }

// Start begins a project whose entries up to the offset after are packed.
func (t *Tail) Start(projectID, after int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.projects[projectID] = &project{offset: after, columns: make(map[int64]*column)}
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
		c := p.columns[series]
		if c == nil {
			c = &column{}
			p.columns[series] = c
			t.held.series.Add(1)
		}
		room := cap(c.points)
		t.held.readings.Add(int64(c.add(run)))
		t.held.bytes.Add(int64(cap(c.points)-room) * pointBytes)
	}
	p.offset = e.Offset
}

// ForgetProject drops all of a project's readings.
func (t *Tail) ForgetProject(projectID int64) {
	t.mu.Lock()
	p := t.projects[projectID]
	delete(t.projects, projectID)
	t.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for series := range p.columns {
		t.drop(p, series)
	}
}

// Forget drops the readings of series that were deleted.
func (t *Tail) Forget(projectID int64, series ...int64) {
	p := t.project(projectID)
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range series {
		t.drop(p, s)
	}
}

// drop is called with the project's lock.
func (t *Tail) drop(p *project, series int64) {
	c := p.columns[series]
	if c == nil {
		return
	}
	delete(p.columns, series)
	t.held.series.Add(-1)
	t.held.readings.Add(-int64(len(c.points)))
	t.held.bytes.Add(-int64(cap(c.points)) * pointBytes)
}

// Latest returns the newest reading of a series.
func (t *Tail) Latest(projectID, series int64) (reading.Reading, bool) {
	p := t.project(projectID)
	if p == nil {
		return reading.Reading{}, false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := p.columns[series]
	if c == nil {
		return reading.Reading{}, false
	}
	last := c.points[len(c.points)-1]
	return reading.Reading{Series: series, Time: last.t, Value: last.v}, true
}

// LatestTime returns the time (µs) of the newest reading of a series: a journal.Latest.
func (t *Tail) LatestTime(projectID, series int64) (int64, bool) {
	r, ok := t.Latest(projectID, series)
	return r.Time, ok
}

// Range returns the readings of a series with from <= time < to (µs), oldest first: the first limit of them, or all when
// limit is 0.
func (t *Tail) Range(projectID, series, from, to int64, limit int) []reading.Reading {
	p := t.project(projectID)
	if p == nil {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	points := p.columns[series].between(from, to)
	if limit > 0 && len(points) > limit {
		points = points[:limit]
	}
	return readings(series, points)
}

// Count returns how many readings of a series have from <= time < to (µs).
func (t *Tail) Count(projectID, series, from, to int64) int {
	p := t.project(projectID)
	if p == nil {
		return 0
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.columns[series].between(from, to))
}

// Snapshot returns the readings of each of the series from the time from (µs) on, and the offset of the last entry that
// they include: all of it, and nothing of later ones. Whoever goes on with the entries behind that offset has every
// reading once. A project that was not started has offset 0 and no readings.
func (t *Tail) Snapshot(projectID int64, series []int64, from int64) (offset int64, rs [][]reading.Reading) {
	rs = make([][]reading.Reading, len(series))
	p := t.project(projectID)
	if p == nil {
		return 0, rs
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i, s := range series {
		rs[i] = readings(s, p.columns[s].between(from, math.MaxInt64))
	}
	return p.offset, rs
}

func (t *Tail) project(id int64) *project {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.projects[id]
}
