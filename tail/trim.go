package tail

import "slices"

// trimPoints is how many points trimSome looks at, and more only if one series has them.
const trimPoints = 32 << 10

// trimPending drops the deletions that are packed, all of them at once and before any reading is dropped: a reading that
// was sent again after a deletion must not be hidden by it when it is found packed. It returns how many series there are.
func (p *project) trimPending(upto int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for series, ds := range p.pending {
		ds = slices.DeleteFunc(ds, func(d deletion) bool { return d.offset <= upto })
		if len(ds) == 0 {
			delete(p.pending, series)
			continue
		}
		p.pending[series] = ds
	}
	return len(p.order)
}

// trimSome drops packed points of some of the first left series, the last of these first, and returns how many are left.
// Series that come meanwhile have none.
func (p *project) trimSome(left int, upto int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	left = min(left, len(p.order))
	for points := 0; left > 0 && points < trimPoints; left-- {
		c := p.order[left-1]
		points += 1 + len(c.times)
		p.tally.add(c, -1)
		c.trim(upto)
		p.tally.add(c, 1)
		if c.blank() {
			p.remove(left - 1)
		}
	}
	p.held.take(&p.tally)
	return left
}

// blank reports whether nothing would be lost without the column.
func (c *column) blank() bool {
	return len(c.times) == 0 && c.newest.state == None && c.newest.bound == nothingPacked && !c.dirty
}

// remove takes the column at i out.
func (p *project) remove(i int) {
	last := len(p.order) - 1
	delete(p.columns, p.order[i].series)
	p.order[i], p.order[last] = p.order[last], nil
	p.order = p.order[:last]
	p.tally.series--
}
