package ingest

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestNumbersAreCorrectlyRounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`),
			rapid.Map(rapid.Float64(), func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }),
			rapid.Map(rapid.Float64(), func(v float64) string { return strconv.FormatFloat(v, 'e', 20, 64) }),
		).Draw(t, "number")
		want, err := referenceNumber([]byte(s))
		got, next, f := number([]byte(s+"}"), 0)
		if (f == nil) != (err == nil) || f == nil && (math.Float64bits(got) != math.Float64bits(want) || next != len(s)) {
			t.Fatalf("%s: %v to %d, %v; want %v, %v", s, got, next, f, want, err)
		}
	})
}

func TestNumbersKeepTheirSign(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]float64{"-0": math.Copysign(0, -1), "-0.0": math.Copysign(0, -1), "0e5": 0, "-0e-999": math.Copysign(0, -1)} {
		if got, _, f := number([]byte(s), 0); f != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%s: %v, %v", s, got, f)
		}
	}
}
