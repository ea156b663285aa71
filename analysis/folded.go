package analysis

import (
	"github.com/readout-dev/readout/stats"
)

// folded is what a task has given.
type folded struct {
	*task
	grid *grid
	work work
}

// group returns the buckets of a group, nil where there are no readings, and its total: of values and labels only if it
// is not bare.
func (f *folded) group(g int, bare bool) (buckets []*stats.Bucket, total *stats.Bucket) {
	from, to := f.frame.from(), f.frame.to()
	total = &stats.Bucket{Start: from, End: to, From: from, To: to, Series: f.index.members[g]}
	buckets = make([]*stats.Bucket, max(len(f.frame.bounds)-1, 0))
	for k, c := range f.grid.cells[g] {
		if c.empty() {
			continue
		}
		c.From, c.To, c.Series = f.frame.cuts[k], f.frame.cuts[k+1], total.Series
		if i := f.frame.bucket[k]; i >= 0 {
			c.Start, c.End = f.frame.bounds[i], f.frame.bounds[i+1]
			buckets[i] = &c.Bucket
		}
		if f.need.Plain { // whatever its readings came from
			c.Summary = c.Summary.Plain()
		}
		part := c.Bucket
		if bare {
			part.Values, part.Labels = stats.Distribution{}, nil
		}
		total.Extend(&part)
	}
	if f.need.Plain {
		total.Summary = total.Summary.Plain()
	}
	total.Start, total.End = from, to // the first bucket may begin before the range
	if f.frame.intervals() > 1 && !total.Empty() {
		total.Line = f.grid.totals[g] // through the whole range, also where there are no readings
	}
	return buckets, total
}
