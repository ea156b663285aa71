package reading

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A column is a list of int64 numbers whose length the reader knows. One that is empty has no bytes.
//
//	shape  1 byte         low nibble: width, the bytes of a word, 0 … 8; high nibble: how many of these are noise
//	base   signed varint  a middle number
//	unit   varint         divides the distance of every number to the base; absent when the width is 0
//	words                 of each number its signed distance in units: all the lowest bytes, then all the next …
//
// Bytes of equal weight lie together because that is what an entropy coder needs: of the high ones there are few. The
// lowest are often noise, which cannot be packed and makes the rest pack worse: those lie apart, before all columns. When
// all numbers are equal the width is 0, and the base is all there is.
//
// A column of words has neither base nor unit.

// appendColumn appends the column of xs, which it overwrites.
func (s *restSpace) appendColumn(b []byte, xs []int64) []byte {
	if len(xs) == 0 {
		return b
	}
	base := middle(xs)
	unit := toDistances(xs, base)
	s.words = slices.Grow(s.words[:0], len(xs))[:len(xs)]
	words := s.words
	var all uint64
	for i, x := range xs {
		u := zigzag(x)
		words[i] = u
		all |= u
	}
	shape := len(b)
	b = append(b, 0)
	b = binary.AppendVarint(b, base)
	if all != 0 {
		b = binary.AppendUvarint(b, unit)
	}
	return s.appendPlanes(b, shape, s.words, all)
}

// toDistances replaces xs by their distances to base in units of the greatest number that divides them all. Sensors that
// count in sixteenths of a degree, and clocks that count in milliseconds, have large ones.
func toDistances(xs []int64, base int64) uint64 {
	var unit divisor
	for i, x := range xs {
		x -= base
		xs[i] = x
		if unit.unit != 1 {
			unit.widen(magnitude(x))
		}
	}
	if unit.unit > 1 {
		for i, x := range xs {
			q, _ := unit.quotient(magnitude(x))
			xs[i] = int64(q)
			if x < 0 {
				xs[i] = -int64(q)
			}
		}
	}
	return unit.unit
}

func magnitude(x int64) uint64 { return uint64(max(x, -x)) }

// appendWords appends a column of words.
func (s *restSpace) appendWords(b []byte, words []uint64) []byte {
	if len(words) == 0 {
		return b
	}
	var all uint64
	for _, u := range words {
		all |= u
	}
	return s.appendPlanes(append(b, 0), len(b), words, all)
}

// appendPlanes appends the lowest bytes of all words, then the next, to s.noise as long as they are noise, then to b, and
// sets the shape. all has every bit that a word has.
func (s *restSpace) appendPlanes(b []byte, shape int, words []uint64, all uint64) []byte {
	width := (bits.Len64(all) + 7) / 8
	noise := 0
	for k := range width {
		at := len(b)
		b = slices.Grow(b, len(words))[:at+len(words)]
		plane := b[at:]
		for i, u := range words {
			plane[i] = byte(u >> (8 * k))
		}
		if noise == k && noisy(plane) {
			s.noise = append(s.noise, plane...)
			b = b[:at]
			noise++
		}
	}
	b[shape] = byte(noise<<4 | width)
	return b
}

// noisy reports whether an entropy coder could save no more of plane than its tables take. It counts the pairs of equal
// bytes: they are one in 256 of all pairs where all bytes are equally frequent, and 2^-H or more at an entropy of H bits
// (Rényi's of order 2, which is never above Shannon's). The limit is at 7.3 bits.
func noisy(plane []byte) bool {
	const enough, limit = 32, 160
	if len(plane) < enough {
		return false
	}
	var counts [256]uint32
	for _, x := range plane {
		counts[x]++
	}
	var pairs uint64
	for _, n := range counts {
		pairs += uint64(n) * uint64(n)
	}
	n := uint64(len(plane))
	return (pairs-n)*limit < n*(n-1)
}

// samples is how many numbers of a column are looked at for its middle: a power of three.
const samples = 81

// middle returns about the median of xs, which is not empty: of few numbers exactly, of more the median of medians of three
// medians and so on (P. J. Rousseeuw, G. W. Bassett, "The Remedian: A Robust Averaging Method for Large Data Sets", Journal of
// the American Statistical Association 85:409, 1990), which needs no sorting and no branches.
func middle(xs []int64) int64 {
	n := samples
	for n > len(xs) {
		n /= 3
	}
	if n < samples/3 {
		return medianOfFew(xs)
	}
	var some [samples / 3]int64
	for i := range n / 3 {
		k := 3 * i
		some[i] = median3(xs[k*len(xs)/n], xs[(k+1)*len(xs)/n], xs[(k+2)*len(xs)/n])
	}
	for n /= 9; n > 0; n /= 3 {
		for i := range n {
			some[i] = median3(some[3*i], some[3*i+1], some[3*i+2])
		}
	}
	return some[0]
}

func median3(a, b, c int64) int64 { return max(min(a, b), min(max(a, b), c)) }

func medianOfFew(xs []int64) int64 {
	var some [samples / 3]int64
	for i, x := range xs {
		j := i
		for ; j > 0 && some[j-1] > x; j-- {
			some[j] = some[j-1]
		}
		some[j] = x
	}
	return some[len(xs)/2]
}

// readColumn reads a column of n numbers into dst, whose old content goes.
func (s *restSpace) readColumn(c *cursor, dst []int64, n int) []int64 {
	dst = slices.Grow(dst[:0], n)[:n]
	if n == 0 {
		return dst
	}
	shape := c.byte()
	base, unit := unzigzag(c.uvarint()), int64(1)
	if shape != 0 {
		unit = int64(c.uvarint())
	}
	planes := c.planes(shape, n)
	switch {
	case c.failed:
		clear(dst)
	case len(planes) == 0:
		for i := range dst {
			dst[i] = base
		}
	case len(planes) == 1:
		for i, low := range planes[0] {
			dst[i] = base + unit*unzigzag(uint64(low))
		}
	case len(planes) == 2:
		high := planes[1][:n]
		for i, low := range planes[0] {
			dst[i] = base + unit*unzigzag(uint64(low)|uint64(high[i])<<8)
		}
	default:
		s.words = joinPlanes(s.words, planes, n)
		for i, u := range s.words {
			dst[i] = base + unit*unzigzag(u)
		}
	}
	return dst
}

// readWords reads a column of n words into dst, whose old content goes.
func readWords(c *cursor, dst []uint64, n int) []uint64 {
	if n == 0 {
		return dst[:0]
	}
	shape := c.byte()
	return joinPlanes(dst, c.planes(shape, n), n)
}

// joinPlanes makes n words of their bytes.
func joinPlanes(dst []uint64, planes [][]byte, n int) []uint64 {
	dst = slices.Grow(dst[:0], n)[:n]
	clear(dst)
	for k, plane := range planes {
		for i, x := range plane {
			dst[i] |= uint64(x) << (8 * k)
		}
	}
	return dst
}
