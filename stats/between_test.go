package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestBetweenIsThatComputedByHand(t *testing.T) {
	t.Parallel()
	f := func(a, b, share, want float64) {
		t.Helper()
		if got := between(a, b, share); got != want {
			t.Errorf("%v of the way from %v to %v is %v, want %v", share, a, b, got, want)
		}
	}
	f(1, 3, 0.25, 1.5)
	f(3, 1, 0.25, 2.5)
	f(3, 1, 0, 3)
	f(7, 7, 0.3, 7)
	f(-1, 0x1.8p-53, 1, 0x1.8p-53) // their distance is rounded up
	f(-math.MaxFloat64, math.MaxFloat64, 0.5, 0)
	f(-0x1p1023, 0x1p1023, 0.75, 0x1p1022) // their distance is beyond float64
	f(math.MaxFloat64, -math.MaxFloat64, 1, -math.MaxFloat64)
}

func TestNothingIsBeyondWhatItIsBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, share := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b"), rapid.Float64Range(0, 1).Draw(t, "share")
		if got := between(a, b, share); !(got >= min(a, b) && got <= max(a, b)) {
			t.Fatalf("got %v", got)
		}
	})
}
