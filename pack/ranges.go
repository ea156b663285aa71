package pack

import (
	"cmp"
	"math"
	"slices"
)

// span is a stretch of time: from <= t < to (µs).
type span struct{ from, to int64 }

// ranges are stretches of time in order; none touches the next.
type ranges []span

// rangesOf returns what the deletions take of each series, one after the other.
func rangesOf(ds []deletion) map[int64]ranges {
	of := make(map[int64]ranges)
	for _, d := range ds {
		if d.From < d.To {
			of[d.Series] = of[d.Series].with(span{d.From, d.To})
		}
	}
	return of
}

// with returns r and s, in the memory of r.
func (r ranges) with(s span) ranges {
	if s.from >= s.to {
		return r
	}
	first, _ := slices.BinarySearchFunc(r, s.from, func(of span, from int64) int { return cmp.Or(cmp.Compare(of.to, from), 1) })
	behind := first
	for ; behind < len(r) && r[behind].from <= s.to; behind++ {
		s = span{min(s.from, r[behind].from), max(s.to, r[behind].to)}
	}
	return slices.Replace(r, first, behind, s)
}

// cover reports whether t is in r.
func (r ranges) cover(t int64) bool { return r.reach(t, t) }

// reach reports whether r has something of from … to, both included.
func (r ranges) reach(from, to int64) bool {
	i := r.after(from)
	return i < len(r) && r[i].from <= to
}

// coverAll reports whether r has all of from … to, both included.
func (r ranges) coverAll(from, to int64) bool {
	i := r.after(from)
	return i < len(r) && r[i].from <= from && to < r[i].to
}

// everything reports whether r is all time.
func (r ranges) everything() bool {
	return len(r) == 1 && r[0] == span{math.MinInt64, math.MaxInt64}
}

// after returns the place of the first stretch that ends after t.
func (r ranges) after(t int64) int {
	i, _ := slices.BinarySearchFunc(r, t, func(s span, t int64) int {
		if s.to <= t {
			return -1
		}
		return 1
	})
	return i
}
