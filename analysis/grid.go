package analysis

import (
	"github.com/readout-dev/readout/stats"
)

// cell is a bucket that is being filled.
type cell struct {
	stats.Bucket
	first, last int  // places of the series whose readings are First and Last
	sketched    bool // it holds a sketch
}

// summarize takes in what is said of more readings, the first of them of the series at one place, the last of that at the
// other. Of readings of one time that of the lowest place is First, that of the highest Last, in whatever order they come.
func (c *cell) summarize(s stats.Summary, first, last int) {
	before := c.Summary
	c.Summary = before.Merge(s)
	if before.Count == 0 || s.FirstAt < before.FirstAt || s.FirstAt == before.FirstAt && first < c.first {
		c.Summary.First, c.first = s.First, first
	}
	switch {
	case before.Count == 0 || s.LastAt > before.LastAt || s.LastAt == before.LastAt && last >= c.last:
		c.Summary.Last, c.last = s.Last, last
	case s.LastAt == before.LastAt:
		c.Summary.Last = before.Last
	}
}

// empty reports whether there are no readings in c, or no c at all: only lines may pass through it.
func (c *cell) empty() bool { return c == nil || c.Empty() }

// absorb takes in what another cell holds of the same bucket, of other series; that is used up.
func (c *cell) absorb(o *cell) {
	first, last, s := o.first, o.last, o.Summary
	o.Summary = stats.Summary{}
	mine := c.Summary
	c.Bucket.Merge(&o.Bucket)
	c.Summary = mine
	if s.Count > 0 {
		c.summarize(s, first, last)
	}
}

// grid holds the cells of some series, by group and interval, and what is said of the whole range.
type grid struct {
	cells  [][]*cell // nil for a group without any
	totals []stats.LineTotal
	wide   int    // intervals
	live   int    // cells that are there
	free   []cell // some that are not used yet, so that not each is allocated alone
}

func newGrid(groups, intervals int) *grid {
	return &grid{cells: make([][]*cell, groups), totals: make([]stats.LineTotal, groups), wide: intervals}
}

// at returns the cell of a group and an interval.
func (g *grid) at(group int32, interval int) *cell {
	row := g.cells[group]
	if row == nil {
		row = make([]*cell, g.wide)
		g.cells[group] = row
	}
	if row[interval] == nil {
		if len(g.free) == 0 {
			g.free = make([]cell, min(max(g.live, 1), 64))
		}
		row[interval], g.free = &g.free[0], g.free[1:]
		g.live++
	}
	return row[interval]
}

// get returns the cell of a group and an interval, nil where there is none.
func (g *grid) get(group, interval int) *cell {
	if g.cells[group] == nil {
		return nil
	}
	return g.cells[group][interval]
}

// absorb takes in what another grid holds of other series; that is used up.
func (g *grid) absorb(o *grid) {
	for i, row := range o.cells {
		g.totals[i].Merge(o.totals[i])
		switch {
		case row == nil:
		case g.cells[i] == nil:
			g.cells[i] = row
		default:
			for k, c := range row {
				switch {
				case c == nil:
				case g.cells[i][k] == nil:
					g.cells[i][k] = c
				default:
					g.cells[i][k].absorb(c)
				}
			}
		}
	}
}

// spill makes sketches of all values, as long as h has room for them.
func (g *grid) spill(h *held) {
	for _, row := range g.cells {
		for _, c := range row {
			if c == nil || c.Values.Len() == 0 {
				continue
			}
			if h.sketch(c); h.check() != nil {
				return
			}
			c.Values.Spill()
		}
	}
}
