package reading

import "slices"

// Gather appends the readings of rs to dst as Sort orders them, and returns the extended slice: sorted, and of readings that
// compare equal the last. It is for entries of a journal, one behind the other in rs, whose times seldom go back: then it
// moves each reading once, and whole runs at a time. It may change the order of rs. dst must not share memory with rs. Safe
// for concurrent use on different slices.
func Gather(dst, rs []Reading) []Reading {
	if ascending(rs) {
		return append(dst, rs...)
	}
	low, high := rs[0].Series, rs[0].Series
	for series := range Runs(rs) {
		low, high = min(low, series), max(high, series)
	}
	span := uint64(high) - uint64(low)
	if span > uint64(2*len(rs)+1<<10) {
		return append(dst, Sort(rs)...)
	}
	s := spares.Get().(*spare)
	defer s.release()
	s.places = slices.Grow(s.places[:0], int(span)+1)[:span+1]
	s.findPlaces(rs, low)
	have := len(dst)
	dst = slices.Grow(dst, len(rs))[:have+len(rs)]
	gathered := dst[have:]
	for series, run := range Runs(rs) {
		at := &s.places[series-low]
		*at += copy(gathered[*at:], run)
	}
	if ascending(gathered) {
		return dst
	}
	return dst[:have+len(s.mend(gathered))]
}

// findPlaces sets s.places to where the readings of each series begin when they are together, the first series being low.
func (s *spare) findPlaces(rs []Reading, low int64) {
	clear(s.places)
	for series, run := range Runs(rs) {
		s.places[series-low] += len(run)
	}
	at := 0
	for i, n := range s.places {
		s.places[i] = at
		at += n
	}
}
