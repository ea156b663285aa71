package tail

import (
	"slices"

	"github.com/readout-dev/readout/reading"
)

// column is what is known of one series: its points of 20 bytes, sorted by time, distinct, and its newest reading.
type column struct {
	series int64
	times  []int64 // µs
	values []float64
	marks  []mark

	newest newest
	dirty  bool // in the project's list of what changed
}

// mark is the low half of the offset of the entry that a point came with. Offsets in memory are less than 2^31 apart.
type mark uint32

// packed reports whether the entry is among those up to the offset upto.
func (m mark) packed(upto int64) bool { return int32(m-mark(upto)) <= 0 }

// add takes run in: the readings of the series in the entry at offset, sorted and distinct. Readings of equal times
// replace what was there.
func (c *column) add(run []reading.Reading, offset int64) {
	if n := len(c.times); n == 0 || run[0].Time > c.times[n-1] {
		c.append(run, mark(offset))
	} else {
		c.merge(run, mark(offset))
	}
}

func (c *column) append(run []reading.Reading, m mark) {
	n := len(c.times)
	c.grow(len(run))
	for i, r := range run {
		c.times[n+i], c.values[n+i], c.marks[n+i] = r.Time, r.Value, m
	}
}

// merge makes room at the end and fills it from the back, so that only what is newer than the oldest of run moves.
func (c *column) merge(run []reading.Reading, m mark) {
	i := len(c.times) - 1
	c.grow(len(run) - c.shared(run))
	k := len(c.times) - 1
	for j := len(run) - 1; j >= 0; k-- {
		switch {
		case i >= 0 && c.times[i] > run[j].Time:
			c.times[k], c.values[k], c.marks[k] = c.times[i], c.values[i], c.marks[i]
			i--
			continue
		case i >= 0 && c.times[i] == run[j].Time:
			i--
		}
		c.times[k], c.values[k], c.marks[k] = run[j].Time, run[j].Value, m
		j--
	}
}

// grow makes the column n points longer; what they are is for the caller to say.
func (c *column) grow(n int) {
	n += len(c.times)
	c.times, c.values, c.marks = longer(c.times, n), longer(c.values, n), longer(c.marks, n)
}

// longer returns s with length n. What does not fit gets twice the room: the quarter more that slices.Grow gives long slices
// would move the points of a series several times while a long journal is loaded.
func longer[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	t := make([]T, n, max(n, 2*cap(s)))
	copy(t, s)
	return t
}

// shared counts the times that run and the column have in common.
func (c *column) shared(run []reading.Reading) int {
	n := 0
	i := c.from(run[0].Time)
	for _, r := range run {
		for i < len(c.times) && c.times[i] < r.Time {
			i++
		}
		if i < len(c.times) && c.times[i] == r.Time {
			n++
		}
	}
	return n
}

// from returns the index of the first point at or after t.
func (c *column) from(t int64) int {
	i, _ := slices.BinarySearch(c.times, t)
	return i
}

// between returns the points in [from, to) as readings: a copy.
func (c *column) between(from, to int64) []reading.Reading {
	if c == nil || to <= from {
		return nil
	}
	i, end := c.from(from), c.from(to)
	if i == end {
		return nil
	}
	rs := make([]reading.Reading, end-i)
	for k := range rs {
		rs[k] = reading.Reading{Series: c.series, Time: c.times[i+k], Value: c.values[i+k]}
	}
	return rs
}

// remove drops the points in [from, to).
func (c *column) remove(from, to int64) {
	i, end := c.from(from), c.from(to)
	c.times = slices.Delete(c.times, i, end)
	c.values = slices.Delete(c.values, i, end)
	c.marks = slices.Delete(c.marks, i, end)
}

// trim drops the points of entries up to the offset upto. Room that was not needed since the last time is given back.
func (c *column) trim(upto int64) {
	before, kept := len(c.times), 0
	for i, m := range c.marks {
		if m.packed(upto) {
			c.newest.pack(c.times[i])
			continue
		}
		c.times[kept], c.values[kept], c.marks[kept] = c.times[i], c.values[i], m
		kept++
	}
	c.times, c.values, c.marks = c.times[:kept], c.values[:kept], c.marks[:kept]
	if cap(c.times) > 2*before+spareRoom {
		c.times, c.values, c.marks = fitting(c.times), fitting(c.values), fitting(c.marks)
	}
}

// fitting returns a copy of s without room for more.
func fitting[T any](s []T) []T { return append(make([]T, 0, len(s)), s...) }

// spareRoom is how many points a column may have room for, whatever it needs.
const spareRoom = 8

// bytes returns what the points take, with the room for more.
func (c *column) bytes() int64 {
	return int64(cap(c.times))*8 + int64(cap(c.values))*8 + int64(cap(c.marks))*4
}
