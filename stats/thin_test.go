package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

var thinners = map[string]func([]reading.Reading, int) []reading.Reading{"LTTB": LTTB, "MinMax": MinMax}

func TestThinnedReadingsKeepBothEndsAndTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(0).Draw(t, "readings")
		n := rapid.IntRange(-1, 50).Draw(t, "n")
		before := slices.Clone(rs)
		for name, thin := range thinners {
			got := thin(rs, n)
			if len(got) > max(n, 0) || !slices.Equal(rs, before) {
				t.Fatalf("%s of %d to %d: %d readings", name, len(rs), n, len(got))
			}
			if len(rs) <= n && !slices.Equal(got, rs) || len(got) == 0 && len(rs) > 0 && n > 0 {
				t.Fatalf("%s of %d to %d: %v", name, len(rs), n, got)
			}
			if len(rs) > n && n >= 2 && (got[0] != rs[0] || got[len(got)-1] != rs[len(rs)-1]) {
				t.Fatalf("%s of %d to %d: from %v to %v", name, len(rs), n, got[0], got[len(got)-1])
			}
			for i := 1; i < len(got); i++ {
				if got[i-1].Time >= got[i].Time {
					t.Fatalf("%s: %v before %v", name, got[i-1], got[i])
				}
			}
			for _, r := range got {
				if _, found := slices.BinarySearchFunc(rs, r, reading.Compare); !found {
					t.Fatalf("%s: %v is no reading", name, r)
				}
			}
		}
	})
}

func TestLTTBGivesExactlyAsManyAsAskedFor(t *testing.T) {
	t.Parallel()
	rs := noise(1000, 0, 1)
	for n := 2; n <= 1000; n++ {
		if got := len(LTTB(rs, n)); got != n {
			t.Errorf("%d instead of %d", got, n)
		}
	}
}

func TestMinMaxLosesNoExtreme(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(1).Draw(t, "readings")
		got := Summarize(MinMax(rs, rapid.IntRange(4, 50).Draw(t, "n")))
		if want := Summarize(rs); got.Min != want.Min || got.Max != want.Max {
			t.Fatalf("got %v … %v, want %v … %v", got.Min, got.Max, want.Min, want.Max)
		}
	})
}

func TestMinMaxDividesTimeAndNotReadings(t *testing.T) {
	t.Parallel()
	rs := series(5, 1, 9, 2, 3, 8, 4, 5)
	rs[6].Time, rs[7].Time = 50_000_000, 100_000_000 // from 1 s to 100 s: the second half has two
	got := MinMax(rs, 6)
	want := []reading.Reading{rs[0], rs[1], rs[2], rs[7]}
	if !slices.Equal(got, want) {
		// 50 s lies in the first half of 1 … 100 s.
		t.Errorf("got %v, want %v", got, want)
	}
	rs[6].Time = 51_000_000
	if got, want := MinMax(rs, 6), []reading.Reading{rs[0], rs[1], rs[2], rs[6], rs[7]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMinMaxTakesTheEarliestOfEqualExtremes(t *testing.T) {
	t.Parallel()
	rs := series(5, 9, 1, 9, 1, 5, 5)
	if got, want := MinMax(rs, 4), []reading.Reading{rs[0], rs[1], rs[2], rs[6]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	flat := series(5, 5, 5, 5, 5, 5, 5)
	if got, want := MinMax(flat, 4), []reading.Reading{flat[0], flat[1], flat[6]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A spike in a flat line spans the largest triangle of its group.
func TestLTTBKeepsASpike(t *testing.T) {
	t.Parallel()
	rs := series(make([]float64, 1000)...)
	rs[457].Value = 3
	if got := LTTB(rs, 20); !slices.Contains(got, rs[457]) {
		t.Errorf("got %v", got)
	}
}

// The areas by hand: groups {1, 2} and {3, 4} of 0 … 5.
func TestLTTBTakesTheLargestTriangles(t *testing.T) {
	t.Parallel()
	f := func(kept []int, values ...float64) {
		t.Helper()
		rs := series(values...)
		var want []reading.Reading
		for _, i := range kept {
			want = append(want, rs[i])
		}
		if got := LTTB(rs, len(kept)); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	// From (0, 0) and the mean (3.5, 2) of the second group: |3.5·1 - 1·2| = 1.5, |3.5·5 - 2·2| = 13.5.
	// From (2, 5) and the last (5, 1): |3·-5 - 1·-4| = 11, |3·-1 - 2·-4| = 5.
	f([]int{0, 2, 3, 5}, 0, 1, 5, 0, 4, 1)
	// From (0, 0) and the mean (3.5, 4): |3.5·1 - 1·4| = 0.5, |3.5·0 - 2·4| = 8; the last, (5, 0), would turn it round.
	// From (2, 0) and the last: |3·4 - 1·0| = |3·4 - 2·0|, so the first.
	f([]int{0, 2, 3, 5}, 0, 1, 0, 4, 4, 0)
}

func TestThinningSurvivesExtremes(t *testing.T) {
	t.Parallel()
	var values []float64
	for range 50 {
		values = append(values, math.MaxFloat64, -math.MaxFloat64, 0)
	}
	rs := series(values...)
	rs[0].Time, rs[len(rs)-1].Time = math.MinInt64, math.MaxInt64
	for name, thin := range thinners {
		if got := thin(rs, 10); len(got) > 10 || len(got) < 4 || got[0] != rs[0] || got[len(got)-1] != rs[len(rs)-1] {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func BenchmarkThin(b *testing.B) {
	rs := noise(100_000, 0, 1)
	for name, thin := range thinners {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				thin(rs, 1000)
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}
