package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCorrelationIsThatComputedByHand(t *testing.T) {
	t.Parallel()
	f := func(want float64, xs, ys []float64) {
		t.Helper()
		for _, scale := range []float64{1, -1, 1e300, 1e-300} {
			scaled := make([]float64, len(xs))
			for i, x := range xs {
				scaled[i] = x * scale
			}
			want := math.Copysign(1, scale) * want
			if r, ok := Pearson(scaled, ys); !ok || math.Abs(r-want) > 1e-12 {
				t.Errorf("%v and %v: %v, %v, want %v", scaled, ys, r, ok, want)
			}
			if r, ok := Pearson(ys, scaled); !ok || math.Abs(r-want) > 1e-12 {
				t.Errorf("%v and %v: %v, %v, want %v", ys, scaled, r, ok, want)
			}
		}
	}
	f(1, []float64{1, 2, 3}, []float64{10, 20, 30})
	f(-1, []float64{1, 2}, []float64{5, 4})
	f(0, []float64{-1, 0, 1}, []float64{1, 0, 1})
	f(0.5, []float64{1, 2, 3}, []float64{1, 3, 2})
	f(4/math.Sqrt(5*4), []float64{1, 2, 3, 4}, []float64{1, 1, 3, 3})
}

func TestCorrelationWithAConstantIsNothing(t *testing.T) {
	t.Parallel()
	f := func(xs, ys []float64) {
		t.Helper()
		if r, ok := Pearson(xs, ys); ok || r != 0 {
			t.Errorf("%v and %v: %v, %v", xs, ys, r, ok)
		}
	}
	f(nil, nil)
	f([]float64{1}, []float64{2})
	f([]float64{0.1, 0.1, 0.1}, []float64{1, 2, 3}) // their mean is not 0.1
	f([]float64{1, 2, 3}, []float64{0.1, 0.1, 0.1})
}

func TestCorrelationStaysWithinOne(t *testing.T) {
	t.Parallel()
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, 5e-324, 1e-310, 0, 1}))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 50).Draw(t, "pairs")
		xs, ys := rapid.SliceOfN(number, n, n).Draw(t, "xs"), rapid.SliceOfN(number, n, n).Draw(t, "ys")
		r, ok := Pearson(xs, ys)
		if !finite(r) || math.Abs(r) > 1 || !ok && r != 0 {
			t.Fatalf("got %v, %v", r, ok)
		}
		if again, _ := Pearson(ys, xs); again != r {
			t.Fatalf("got %v, the other way round %v", r, again)
		}
	})
}
