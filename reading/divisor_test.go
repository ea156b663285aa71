package reading

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDivisorDividesAsDivisionDoes(t *testing.T) {
	t.Parallel()
	number := rapid.OneOf(rapid.Uint64Range(1, 100), rapid.Uint64(), rapid.SampledFrom([]uint64{1, 1000, 1_000_000, 1 << 63, math.MaxUint64}))
	rapid.Check(t, func(t *rapid.T) {
		unit := max(number.Draw(t, "unit"), 1)
		x := number.Draw(t, "x")
		if rapid.Bool().Draw(t, "multiple") {
			x -= x % unit
		}
		d := newDivisor(unit)
		q, divides := d.quotient(x)
		if divides != (x%unit == 0) || divides && q != x/unit {
			t.Fatalf("%d / %d: got %d, %v", x, unit, q, divides)
		}
	})
}

func TestDivisorWidensToTheGreatestCommonOne(t *testing.T) {
	t.Parallel()
	f := func(want uint64, of ...uint64) {
		t.Helper()
		var d divisor
		for _, x := range of {
			d.widen(x)
		}
		if d.unit != want {
			t.Errorf("%v: got %d, want %d", of, d.unit, want)
		}
	}
	f(0)
	f(0, 0, 0)
	f(7, 0, 7, 0)
	f(1000, 4000, 6000, 9000)
	f(1, 6, 10, 15)
	f(1<<63, 1<<63)
}
