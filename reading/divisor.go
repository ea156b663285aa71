package reading

import (
	"math"
	"math/bits"
)

// divisor divides by a number many times, without a division: by its inverse modulo 2^64 (H. S. Warren, "Hacker's
// Delight", 2nd edition, sections 10-16 and 10-17). The zero value divides nothing but 0.
type divisor struct {
	unit    uint64
	inverse uint64 // of the odd part of unit
	shift   int    // unit is the odd part times two to this power
	most    uint64 // the greatest quotient
}

func newDivisor(unit uint64) divisor {
	if unit == 0 {
		return divisor{}
	}
	shift := bits.TrailingZeros64(unit)
	odd := unit >> shift
	inverse := odd // right in the lowest 3 bits; each step doubles them
	for range 5 {
		inverse *= 2 - odd*inverse
	}
	return divisor{unit, inverse, shift, math.MaxUint64 / unit}
}

// quotient returns x divided by the unit, and whether it divides x: otherwise the quotient means nothing.
func (d *divisor) quotient(x uint64) (q uint64, divides bool) {
	q = bits.RotateLeft64(x*d.inverse, -d.shift)
	return q, q <= d.most && (d.unit != 0 || x == 0)
}

// widen makes d the greatest common divisor of what it is and x; 0 is divided by everything.
func (d *divisor) widen(x uint64) {
	if _, divides := d.quotient(x); !divides {
		*d = newDivisor(gcd(x, d.unit))
	}
}
