package stats

import (
	"math"

	"github.com/readout-dev/readout/reading"
)

// LTTB thins rs, readings of one series in the order of time, to n that draw the same line to the eye: the first, the
// last, and of each of n-2 groups of neighbours the one that spans the largest triangle with the reading chosen before
// it and the mean of the next group. It keeps shapes better than MinMax, but may leave out a short extreme.
//
// It returns rs itself when that has at most n readings, and nothing but the first for n = 1, or nothing for less. Safe
// for concurrent use. Source: S. Steinarsson, "Downsampling Time Series for Visual Representation", University of
// Iceland, 2013, section 4.2.
func LTTB(rs []reading.Reading, n int) []reading.Reading {
	if few, done := fewOf(rs, n); done {
		return few
	}
	groups := n - 2
	inner := len(rs) - 2
	start := func(group int) int { return 1 + group*inner/groups }
	kept := append(make([]reading.Reading, 0, n), rs[0])
	for g := range groups {
		next := rs[len(rs)-1:]
		if g+1 < groups {
			next = rs[start(g+1):start(g+2)]
		}
		kept = append(kept, farthest(rs[start(g):start(g+1)], kept[g], next))
	}
	return append(kept, rs[len(rs)-1])
}

// farthest returns the reading of group that spans the largest triangle with before and the mean of next; the first
// where several do.
func farthest(group []reading.Reading, before reading.Reading, next []reading.Reading) reading.Reading {
	var x, y float64
	for i := range next {
		x += float64(next[i].Time - before.Time)
		y += next[i].Value - before.Value
	}
	x /= float64(len(next))
	y /= float64(len(next))
	best, area := 0, -1.0
	for i := range group {
		dx, dy := float64(group[i].Time-before.Time), group[i].Value-before.Value
		if a := math.Abs(float64(x*dy) - float64(dx*y)); a > area {
			best, area = i, a
		}
	}
	return group[best]
}

// fewOf returns what LTTB and MinMax keep of rs when nothing is to be chosen.
func fewOf(rs []reading.Reading, n int) (few []reading.Reading, done bool) {
	switch {
	case len(rs) <= n:
		return rs, true
	case n <= 0:
		return nil, true
	case n == 1:
		return rs[:1:1], true
	case n == 2:
		return []reading.Reading{rs[0], rs[len(rs)-1]}, true
	}
	return nil, false
}
