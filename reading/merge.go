package reading

import (
	"sort"
	"sync"
)

// Merge appends all readings of runs to dst, sorted and distinct, and returns the extended slice. Each run must be sorted
// and distinct itself; of readings that compare equal the one of the later run stays. dst must not share memory with a
// run. It takes time linear in the readings for two runs, times the logarithm of their number for more, and less where
// long stretches come from one run alone. Safe for concurrent use.
func Merge(dst []Reading, runs ...[]Reading) []Reading {
	switch len(runs) {
	case 0:
		return dst
	case 1:
		return append(dst, runs[0]...)
	case 2:
		return merge(dst, runs[0], runs[1])
	}
	s := merges.Get().(*mergeSpace)
	defer s.release()
	s.level = append(s.level[:0], runs...)
	for from, to := 0, 1; len(s.level) > 2; from, to = to, from {
		s.halve(to)
	}
	return merge(dst, s.level[0], s.level[1])
}

// mergeSpace is where the merges before the last one leave their readings: those of one level in one buffer, which the
// next level reads while it fills the other.
type mergeSpace struct {
	level   [][]Reading // what is left to be merged; earlier runs first
	buffers [2][]Reading
}

var merges = sync.Pool{New: func() any { return new(mergeSpace) }}

// release returns s to the pool unless a large merge has bloated it.
func (s *mergeSpace) release() {
	clear(s.level[:cap(s.level)]) // they would keep the callers' readings from being freed
	if cap(s.buffers[0])+cap(s.buffers[1]) <= 1<<18 {
		merges.Put(s)
	}
}

// halve merges each two neighbours of the level into a buffer; a last one without a partner goes there too, since its
// own place may be overwritten by the next level.
func (s *mergeSpace) halve(to int) {
	n := 0
	for _, run := range s.level {
		n += len(run)
	}
	b := s.buffers[to][:0]
	if cap(b) < n {
		b = make([]Reading, 0, n)
	}
	kept := s.level[:0]
	for i := 0; i < len(s.level); i += 2 {
		from := len(b)
		if i+1 < len(s.level) {
			b = merge(b, s.level[i], s.level[i+1])
		} else {
			b = append(b, s.level[i]...)
		}
		kept = append(kept, b[from:len(b):len(b)])
	}
	s.buffers[to] = b
	s.level = kept
}

// gallopAfter is how many readings in a row come from one run before the end of the stretch is searched for.
const gallopAfter = 8

// merge is Merge of two runs.
func merge(dst, a, b []Reading) []Reading {
	for len(a) > 0 && len(b) > 0 {
		n := stretch(a, &b[0])
		dst = append(dst, a[:n]...)
		if a = a[n:]; len(a) == 0 {
			break
		}
		if a[0].Series == b[0].Series && a[0].Time == b[0].Time {
			a = a[1:] // b's, which is later, stays
			if len(a) == 0 {
				break
			}
		}
		n = stretch(b, &a[0])
		dst = append(dst, b[:n]...)
		b = b[n:]
	}
	return append(append(dst, a...), b...)
}

// stretch returns how many readings at the beginning of rs come before r: one by one at first, then by doubling steps and
// bisection.
func stretch(rs []Reading, r *Reading) int {
	for i := range rs[:min(len(rs), gallopAfter)] {
		if !before(&rs[i], r) {
			return i
		}
	}
	from, step := min(len(rs), gallopAfter), gallopAfter
	for from+step <= len(rs) && before(&rs[from+step-1], r) {
		from += step
		step *= 2
	}
	rest := rs[from:min(len(rs), from+step)]
	return from + sort.Search(len(rest), func(i int) bool { return !before(&rest[i], r) })
}

// before reports whether a sorts before b.
func before(a, b *Reading) bool {
	return a.Series < b.Series || a.Series == b.Series && a.Time < b.Time
}
