package ingest

import (
	"bytes"
	"strconv"

	"github.com/readout-dev/readout/internal/fault"
)

func isDigit(c byte) bool { return c-'0' <= 9 }

// powers are the powers of ten that a float64 holds exactly and that 19 digits need.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// number reads the JSON number at b[p] and returns the nearest float64 and where the number ends. What is not a number
// by JSON's grammar is Malformed. A number that rounds to infinity, or to 0 without being 0, is ValueRange; next is
// valid then.
func number(b []byte, p int) (v float64, next int, f *fault.Error) {
	start := p
	negative := p < len(b) && b[p] == '-'
	if negative {
		p++
	}
	first := p
	var m uint64 // the digits, as long as they are at most 19
	for p < len(b) && isDigit(b[p]) {
		m = m*10 + uint64(b[p]-'0')
		p++
	}
	digits := p - first
	if digits == 0 || digits > 1 && b[first] == '0' {
		return 0, 0, errMalformed
	}
	fraction := 0
	if p < len(b) && b[p] == '.' {
		p++
		point := p
		for p < len(b) && isDigit(b[p]) {
			m = m*10 + uint64(b[p]-'0')
			p++
		}
		if fraction = p - point; fraction == 0 {
			return 0, 0, errMalformed
		}
		digits += fraction
	}
	exponent := p < len(b) && b[p]|0x20 == 'e'
	if exponent || digits > 19 || m >= 1<<53 {
		return numberSlow(b, start, p)
	}
	// Both operands are exact, so the one division rounds correctly (Clinger, "How to Read Floating Point Numbers
	// Accurately", 1990).
	v = float64(m) / powers[fraction]
	if negative {
		v = -v
	}
	return v, p, nil
}

// numberSlow reads a number whose digits, read already, are b[start:p].
func numberSlow(b []byte, start, p int) (v float64, next int, f *fault.Error) {
	digits := b[start:p]
	if p < len(b) && b[p]|0x20 == 'e' {
		p++
		if p < len(b) && (b[p] == '+' || b[p] == '-') {
			p++
		}
		exponent := p
		for p < len(b) && isDigit(b[p]) {
			p++
		}
		if p == exponent {
			return 0, 0, errMalformed
		}
	}
	v, err := strconv.ParseFloat(string(b[start:p]), 64)
	if err != nil || v == 0 && bytes.ContainsAny(digits, "123456789") {
		return 0, p, errValueRange
	}
	return v, p, nil
}
