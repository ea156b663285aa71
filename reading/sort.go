package reading

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

// Compare orders readings by series, then time; readings that compare equal are the same reading.
func Compare(a, b Reading) int {
	if a.Series != b.Series {
		return cmp.Compare(a.Series, b.Series)
	}
	return cmp.Compare(a.Time, b.Time)
}

// Sort orders rs by (series, time) in place and drops readings that a later one in rs replaces. It returns the
// shortened slice: sorted and distinct, which is what an entry of the journal is. Safe for concurrent use on different
// slices.
//
// It is linear for what devices send: readings in order already, each series in order by itself, or one reading of many
// series again and again.
func Sort(rs []Reading) []Reading {
	if ascending(rs) {
		return rs
	}
	if insertionSort(rs) {
		return dropReplaced(rs)
	}
	s := spares.Get().(*spare)
	defer s.release()
	if !slices.IsSortedFunc(rs, func(a, b Reading) int { return cmp.Compare(a.Series, b.Series) }) {
		s.sortBy(seriesOf, rs)
	}
	return s.mend(rs)
}

// mend brings the readings of each series, which are together already, into order.
func (s *spare) mend(rs []Reading) []Reading {
	for _, run := range Runs(rs) {
		if !ascending(run) && !insertionSort(run) {
			s.sortBy(timeOf, run)
		}
	}
	return dropReplaced(rs)
}

// ascending reports whether rs is sorted and distinct.
func ascending(rs []Reading) bool {
	for i := 1; i < len(rs); i++ {
		a, b := &rs[i-1], &rs[i]
		if a.Series > b.Series || a.Series == b.Series && a.Time >= b.Time {
			return false
		}
	}
	return true
}

// dropReplaced keeps the last of readings that compare equal; rs is sorted.
func dropReplaced(rs []Reading) []Reading {
	kept := rs[:0]
	for i, r := range rs {
		if i+1 < len(rs) && r.Series == rs[i+1].Series && r.Time == rs[i+1].Time {
			continue
		}
		kept = append(kept, r)
	}
	return kept
}

// insertionMax is how many readings are always faster sorted by insertion than by counting.
const insertionMax = 48

// insertionSort sorts rs stably, or gives up with rs partly sorted, equal ones still in the order they came, when that
// takes more than half a move a reading: a few late readings are cheap to put in their place, many are not.
func insertionSort(rs []Reading) bool {
	moves := 0
	for i := 1; i < len(rs); i++ {
		r := rs[i]
		j := i
		for ; j > 0 && Compare(rs[j-1], r) > 0; j-- {
			rs[j] = rs[j-1]
		}
		rs[j] = r
		if moves += i - j; moves > len(rs)/2 && len(rs) > insertionMax {
			return false
		}
	}
	return true
}

// The keys to sort by.
const (
	seriesOf = iota
	timeOf
)

// key is unsigned so that the order of int64 is kept.
func key(by int, r *Reading) uint64 {
	if by == seriesOf {
		return uint64(r.Series) ^ 1<<63
	}
	return uint64(r.Time) ^ 1<<63
}

// spare is the other place to which counting moves readings, and its counters.
type spare struct {
	rs     []Reading
	counts [1 << digitBits]uint32
	places []int // see Gather
}

// digitBits is the most bits of a key that are counted at once: the counters fit the first-level cache.
const digitBits = 11

var spares = sync.Pool{New: func() any { return new(spare) }}

// release returns s to the pool unless one large batch has bloated it.
func (s *spare) release() {
	if cap(s.rs) <= 1<<16 && cap(s.places) <= 1<<17 {
		spares.Put(s)
	}
}

// sortBy sorts rs by one key, stably: by counting the digits of key - min, lowest first (LSD radix sort), with as few
// and as narrow digits as the range of the keys allows. rs is not sorted by that key yet, so the keys differ.
func (s *spare) sortBy(by int, rs []Reading) {
	low, high := key(by, &rs[0]), key(by, &rs[0])
	for i := range rs {
		k := key(by, &rs[i])
		low, high = min(low, k), max(high, k)
	}
	width := bits.Len64(high - low)
	passes := (width + digitBits - 1) / digitBits
	digit := (width + passes - 1) / passes
	s.rs = slices.Grow(s.rs[:0], len(rs))[:len(rs)]
	from, to := rs, s.rs
	for pass := range passes {
		s.pass(by, to, from, low, pass*digit, digit)
		from, to = to, from
	}
	if passes%2 == 1 {
		copy(rs, s.rs)
	}
}

// pass moves from into to, ordered by the digit of key - low that begins at bit shift.
func (s *spare) pass(by int, to, from []Reading, low uint64, shift, digit int) {
	counts := s.counts[:1<<digit]
	clear(counts)
	mask := uint64(len(counts) - 1)
	for i := range from {
		counts[(key(by, &from[i])-low)>>shift&mask]++
	}
	var at uint32
	for i, n := range counts {
		counts[i], at = at, at+n
	}
	for i := range from {
		n := &counts[(key(by, &from[i])-low)>>shift&mask]
		to[*n] = from[i]
		*n++
	}
}
