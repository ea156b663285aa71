package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestHistogramIsThatComputedByHand(t *testing.T) {
	t.Parallel()
	b := bucketOf(series(0, 1, 1.5, 2, 2.5, 4, 4))
	got := Histogram(b, 4, nil, nil)
	if want := []Bin{{0, 1, 1}, {1, 2, 2}, {2, 3, 2}, {3, 4, 2}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	low, high := 1.0, 2.0
	if got, want := Histogram(b, 2, &low, &high), []Bin{{1, 1.5, 1}, {1.5, 2, 2}}; !slices.Equal(got, want) {
		t.Errorf("from 1 to 2: got %v, want %v", got, want)
	}
	far := 10.0
	if got, want := Histogram(b, 2, &high, &far), []Bin{{2, 6, 4}, {6, 10, 0}}; !slices.Equal(got, want) {
		t.Errorf("from 2 on: got %v, want %v", got, want)
	}
	if got, want := Histogram(b, 5, &low, &low), []Bin{{1, 1, 1}}; !slices.Equal(got, want) {
		t.Errorf("of one value: got %v, want %v", got, want)
	}
	if got := Histogram(b, 5, &high, &low); got != nil {
		t.Errorf("from 2 to 1: got %v", got)
	}
	if got := Histogram(b, 0, nil, nil); got != nil {
		t.Errorf("of no bins: got %v", got)
	}
	if got, want := Histogram(bucketOf(series(3, 3, 3)), 10, nil, nil), []Bin{{3, 3, 3}}; !slices.Equal(got, want) {
		t.Errorf("of equal values: got %v, want %v", got, want)
	}
}

// Each value is between the edges of its bin, however they round, and none is lost.
func TestHistogramHoldsEachValueOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(-1, 1), rapid.Map(rapid.IntRange(-9, 9), func(i int) float64 { return float64(i) / 10 }),
			rapid.Map(rapid.IntRange(0, 9), func(i int) float64 { return 1 + float64(i)*0x1p-52 }))
		rs := series(rapid.SliceOfN(value, 1, 600).Draw(t, "values")...)
		b := bucketOf(rs)
		if rapid.Bool().Draw(t, "counted") && NewSketch(rs).Exact() {
			b.Values.Spill()
		}
		n := rapid.IntRange(1, 40).Draw(t, "bins")
		bins := Histogram(b, n, nil, nil)
		for i, bin := range bins {
			last := i == len(bins)-1
			var want int64
			for _, v := range sorted(rs) {
				if v >= bin.From && (v < bin.To || last && v == bin.To) {
					want++
				}
			}
			if bin.Count != want || !last && bin.To != bins[i+1].From {
				t.Fatalf("bin %d is %v, want %d: %v", i, bin, want, bins)
			}
		}
		if bins[0].From != b.Summary.Min || bins[len(bins)-1].To != b.Summary.Max {
			t.Fatalf("got %v from %v to %v", bins, b.Summary.Min, b.Summary.Max)
		}
	})
}

func TestHistogramOfASketchIsThatOfValuesWithinAccuracy(t *testing.T) {
	t.Parallel()
	for name, rs := range shapes(20_000) {
		b := bucketOf(rs)
		want := Histogram(b, 10, nil, nil)
		b.Values.Spill()
		got := Histogram(b, 10, nil, nil)
		var before, sum int64 // up to the edge, of the values and of the sketch
		values := sorted(rs)
		for i, bin := range got {
			if bin.From != want[i].From || bin.To != want[i].To {
				t.Fatalf("%s: the bins are %v, want %v", name, got, want)
			}
			before, sum = before+want[i].Count, sum+bin.Count
			reach := 2 * Accuracy * math.Abs(bin.To) // a bin of the sketch on the edge is on one side or the other
			low, _ := slices.BinarySearch(values, bin.To-reach)
			high, _ := slices.BinarySearch(values, bin.To+reach)
			if i < len(got)-1 && (sum < int64(low) || sum > int64(high)) {
				t.Errorf("%s: %d up to %v, want %d", name, sum, bin.To, before)
			}
		}
		if sum != int64(len(rs)) {
			t.Errorf("%s: %d values of %d", name, sum, len(rs))
		}
	}
}

func TestHistogramReachesOverAllFloats(t *testing.T) {
	t.Parallel()
	b := bucketOf(series(-math.MaxFloat64, 0, 5, math.MaxFloat64))
	got := Histogram(b, 2, nil, nil)
	if want := []Bin{{-math.MaxFloat64, 0, 1}, {0, math.MaxFloat64, 3}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHistogramHasNoBinsBetweenLimitsThatAreNoNumbers(t *testing.T) {
	t.Parallel()
	b := bucketOf(series(1, 2, 3))
	zero := 0.0
	for _, odd := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if bins := Histogram(b, 10, &odd, nil); bins != nil {
			t.Errorf("from %v there are %v", odd, bins)
		}
		if bins := Histogram(b, 10, &zero, &odd); bins != nil {
			t.Errorf("to %v there are %v", odd, bins)
		}
	}
}
