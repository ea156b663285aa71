package tail

import (
	"sync"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// project is the tail of one project.
type project struct {
	mu      sync.RWMutex
	offset  int64 // of the last entry applied
	columns map[int64]*column
	order   []*column            // the same, for who goes through them and lets go of the lock in between
	pending map[int64][]deletion // by series: those that are not packed, in the order of their offsets
	changed []*column            // whose newest reading has changed: the dirty ones

	tally tally
	held  *held
}

// deletion is a deletion that packed readings may not know of.
type deletion struct {
	reading.Deletion
	offset int64
}

func newProject(b journal.Beginning, held *held) *project {
	p := &project{
		held: held, offset: b.After,
		columns: make(map[int64]*column, len(b.Latest)), order: make([]*column, len(b.Latest)),
		pending: make(map[int64][]deletion),
	}
	columns := make([]column, len(b.Latest))
	for i, r := range b.Latest {
		c := &columns[i]
		c.series, c.newest = r.Series, newestAt(r, b.After)
		p.columns[r.Series], p.order[i] = c, c
	}
	p.tally.series = int64(len(columns))
	held.take(&p.tally)
	return p
}

// add takes in the readings of a series in the entry at offset.
func (p *project) add(series int64, run []reading.Reading, offset int64) {
	c := p.columns[series]
	if c == nil {
		c = &column{series: series, newest: newest{bound: nothingPacked}}
		p.columns[series] = c
		p.order = append(p.order, c)
		p.tally.series++
	}
	p.tally.add(c, -1)
	c.add(run, offset)
	p.tally.add(c, 1)
	if c.added(run[len(run)-1].Time, offset) {
		p.change(c)
	}
}

// delete takes in a deletion in the entry at offset.
func (p *project) delete(d reading.Deletion, offset int64) {
	p.pending[d.Series] = append(p.pending[d.Series], deletion{d, offset})
	c := p.columns[d.Series]
	if c == nil {
		return
	}
	p.tally.add(c, -1)
	c.remove(d.From, d.To)
	p.tally.add(c, 1)
	if c.deleted(d, offset) {
		p.change(c)
	}
}

// change takes note that the newest reading of c has changed.
func (p *project) change(c *column) {
	if !c.dirty {
		c.dirty = true
		p.changed = append(p.changed, c)
	}
}

// takeChanged appends newest readings that have changed to taken, until it has most of them.
func (p *project) takeChanged(taken []store.Newest, id int64, most int) []store.Newest {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.changed) > 0 && len(taken) < most {
		last := len(p.changed) - 1
		c := p.changed[last]
		p.changed = p.changed[:last]
		c.dirty = false
		if n := c.newest; n.state != Unknown {
			taken = append(taken, store.Newest{
				Project: id, Series: c.series, Offset: n.offset, Time: n.time, Value: n.value, None: n.state == None,
			})
		}
	}
	return taken
}

// leave takes the project out of the metrics; p may be nil. Who reads or trims it just now may go on.
func (p *project) leave() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.order {
		p.tally.add(c, -1)
	}
	p.tally.series -= int64(len(p.order))
	p.held.take(&p.tally)
	p.held = &held{}
}
