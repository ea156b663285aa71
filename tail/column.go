package tail

import (
	"slices"
	"sort"

	"github.com/readout-dev/readout/reading"
)

// point is a reading without its series.
type point struct {
	t int64 // µs
	v float64
}

// pointBytes is the size of a point.
const pointBytes = 16

// column is the readings of one series: sorted by time, distinct.
type column struct{ points []point }

// add takes run in: the readings of the series in one entry, sorted and distinct. Readings of equal times replace what
// was there. It returns how many readings the column has gained.
func (c *column) add(run []reading.Reading) int {
	before := len(c.points)
	if before == 0 || run[0].Time > c.points[before-1].t {
		c.append(run)
	} else {
		c.merge(run)
	}
	return len(c.points) - before
}

func (c *column) append(run []reading.Reading) {
	c.points = slices.Grow(c.points, len(run))
	for _, r := range run {
		c.points = append(c.points, point{r.Time, r.Value})
	}
}

// merge makes room at the end and fills it from the back, so that only what is newer than the oldest of run moves.
func (c *column) merge(run []reading.Reading) {
	i := len(c.points) - 1
	gained := len(run) - c.shared(run)
	c.points = slices.Grow(c.points, gained)[:len(c.points)+gained]
	k := len(c.points) - 1
	for j := len(run) - 1; j >= 0; k-- {
		switch {
		case i >= 0 && c.points[i].t > run[j].Time:
			c.points[k] = c.points[i]
			i--
			continue
		case i >= 0 && c.points[i].t == run[j].Time:
			i--
		}
		c.points[k] = point{run[j].Time, run[j].Value}
		j--
	}
}

// shared counts the times that run and the column have in common.
func (c *column) shared(run []reading.Reading) int {
	n := 0
	i := c.from(run[0].Time)
	for _, r := range run {
		for i < len(c.points) && c.points[i].t < r.Time {
			i++
		}
		if i < len(c.points) && c.points[i].t == r.Time {
			n++
		}
	}
	return n
}

// from returns the index of the first point at or after t.
func (c *column) from(t int64) int {
	return sort.Search(len(c.points), func(i int) bool { return c.points[i].t >= t })
}

// between returns the points in [from, to).
func (c *column) between(from, to int64) []point {
	if c == nil || to <= from {
		return nil
	}
	return c.points[c.from(from):c.from(to)]
}

// readings returns points as readings of series: a copy.
func readings(series int64, points []point) []reading.Reading {
	if len(points) == 0 {
		return nil
	}
	rs := make([]reading.Reading, len(points))
	for i, p := range points {
		rs[i] = reading.Reading{Series: series, Time: p.t, Value: p.v}
	}
	return rs
}
