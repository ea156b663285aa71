package reading

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// How the values of a run are written: bits 2–7 of its head.
//
// 0 to maxScale: as integers; the value is the integer divided by ten to that power, in float64 arithmetic. The first
// is a signed varint, the rest the signed distance to the one before.
//
// valuesXOR: each value's bits XOR those of the value before (the first: 0), as one byte that says how many bytes are
// kept (low nibble, 0–8) and how many zero bytes below them are not (high nibble), then the kept bytes, lowest first.
const (
	valuesShift = 2
	valuesXOR   = 63
	maxScale    = 15
)

var powers = [maxScale + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// maxExact is the first integer that may not be the only one with its float64.
const maxExact = 1 << 53

// appendValues appends the values of every run to b and notes in its head, b[heads+i], how they are written.
func (s *scratch) appendValues(b []byte, heads int, rs []Reading) []byte {
	guess := 0
	for i := range len(s.starts) - 1 {
		run := rs[s.starts[i]:s.starts[i+1]]
		s.numbers = slices.Grow(s.numbers[:0], len(run))[:len(run)]
		scale, exact := integers(s.numbers, run, guess)
		if !exact {
			b[heads+i] |= valuesXOR << valuesShift
			b = appendXORs(b, run)
			continue
		}
		guess = scale
		from := len(b)
		b = appendIntegers(b, s.numbers)
		if xorShorter(run, len(b)-from) {
			b[heads+i] |= valuesXOR << valuesShift
			b = appendXORs(b[:from], run)
			continue
		}
		b[heads+i] |= byte(scale) << valuesShift
	}
	return b
}

// integers writes the values of run into dst as integers of the smallest power of ten that holds them all exactly, if
// there is one. guess is the scale to try first.
func integers(dst []int64, run []Reading, guess int) (scale int, exact bool) {
	if scaled(dst, run, guess) {
		for guess > 0 && divideByTen(dst) {
			guess--
		}
		return guess, true
	}
	for scale = range maxScale + 1 {
		if scale != guess && scaled(dst, run, scale) {
			return scale, true
		}
	}
	return 0, false
}

// scaled writes each value times ten to the power of scale into dst; false unless all divide back to the same bits.
func scaled(dst []int64, run []Reading, scale int) bool {
	p := powers[scale]
	for i := range run {
		v := run[i].Value
		x := float64(v * p) // the conversion forbids fusing with the sum below, which would differ between machines
		if !(math.Abs(x) < maxExact) {
			return false
		}
		n := int64(x + math.Copysign(0.5, x))
		if math.Float64bits(float64(n)/p) != math.Float64bits(v) {
			return false
		}
		dst[i] = n
	}
	return true
}

// divideByTen divides all of ns by ten if none has a remainder.
func divideByTen(ns []int64) bool {
	for _, n := range ns {
		if n%10 != 0 {
			return false
		}
	}
	for i := range ns {
		ns[i] /= 10
	}
	return true
}

func appendIntegers(b []byte, ns []int64) []byte {
	var last int64
	for _, n := range ns {
		b = appendUvarint(b, zigzag(n-last))
		last = n
	}
	return b
}

// xorShape returns how many bytes of x are kept and how many zero bytes below them are not.
func xorShape(x uint64) (kept, below int) {
	if x == 0 {
		return 0, 0
	}
	below = bits.TrailingZeros64(x) >> 3
	return 8 - bits.LeadingZeros64(x)>>3 - below, below
}

// xorShorter reports whether appendXORs would take fewer than n bytes for run.
func xorShorter(run []Reading, n int) bool {
	size := len(run)
	var last uint64
	for i := range run {
		if size >= n {
			return false
		}
		v := math.Float64bits(run[i].Value)
		kept, _ := xorShape(v ^ last)
		size += kept
		last = v
	}
	return size < n
}

func appendXORs(b []byte, run []Reading) []byte {
	var last uint64
	for i := range run {
		v := math.Float64bits(run[i].Value)
		x := v ^ last
		kept, below := xorShape(x)
		b = append(b, byte(below<<4|kept))
		end := len(b) + kept
		b = binary.LittleEndian.AppendUint64(b, x>>(8*below))[:end]
		last = v
	}
	return b
}

// decodeValues sets the value of every reading and returns where they end, or -1 when they are missing or malformed.
func (s *scratch) decodeValues(rs []Reading, heads, b []byte, p int) int {
	for i, h := range heads {
		run := rs[s.starts[i]:s.starts[i+1]]
		switch how := h >> valuesShift; {
		case how <= maxScale:
			p = decodeIntegers(run, powers[how], b, p)
		case how == valuesXOR:
			p = decodeXORs(run, b, p)
		default:
			return -1
		}
		if p < 0 {
			return -1
		}
	}
	return p
}

func decodeIntegers(run []Reading, power float64, b []byte, p int) int {
	var n int64
	for i := range run {
		var u uint64
		if u, p = uvarint(b, p); p < 0 {
			return -1
		}
		n += unzigzag(u)
		run[i].Value = float64(n) / power
	}
	return p
}

func decodeXORs(run []Reading, b []byte, p int) int {
	var v uint64
	for i := range run {
		if p >= len(b) {
			return -1
		}
		kept, below := int(b[p]&15), int(b[p]>>4)
		p++
		if kept+below > 8 || len(b)-p < kept {
			return -1
		}
		v ^= littleEndian(b[p:p+kept]) << (8 * below)
		p += kept
		run[i].Value = math.Float64frombits(v)
	}
	return p
}

// littleEndian reads up to eight bytes, lowest first.
func littleEndian(b []byte) uint64 {
	var x uint64
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x
}
