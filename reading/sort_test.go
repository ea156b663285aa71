package reading

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// naiveSort is what Sort must equal: the last reading of each (series, time), in order.
func naiveSort(rs []Reading) []Reading {
	type identity struct{ series, time int64 }
	last := map[identity]Reading{}
	for _, r := range rs {
		last[identity{r.Series, r.Time}] = r
	}
	sorted := []Reading{}
	for _, r := range last {
		sorted = append(sorted, r)
	}
	slices.SortFunc(sorted, Compare)
	return sorted
}

func TestSortKeepsTheLastOfEachReading(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyReadings().Draw(t, "readings")
		want := naiveSort(rs)
		if got := Sort(rs); !identical(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestSortIsRightForManyReadings(t *testing.T) {
	t.Parallel()
	for _, n := range []int{insertionMax, insertionMax + 1, 1000, 5000} {
		for _, shape := range sortShapes {
			rs := shape.make(n)
			want := naiveSort(rs)
			if got := Sort(rs); !identical(got, want) {
				t.Errorf("%d, %s: not what a naive sort gives", n, shape.name)
			}
		}
	}
}

func TestSortAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for _, shape := range sortShapes {
		rs := shape.make(1000)
		work := make([]Reading, len(rs))
		if n := testing.AllocsPerRun(100, func() { copy(work, rs); Sort(work) }); n > 0 {
			t.Errorf("%s: %v allocations", shape.name, n)
		}
	}
}

// sortShapes are the orders in which readings arrive; the random ones hold duplicates.
var sortShapes = []struct {
	name string
	make func(n int) []Reading
}{
	{"sorted", func(n int) []Reading { return ordered(n, 10) }},
	{"transposed", func(n int) []Reading {
		rs := make([]Reading, n)
		for i := range rs {
			rs[i] = Reading{5000 + int64(i%100*37), int64(i/100) * 1_000_000, float64(i)}
		}
		return rs
	}},
	{"runs", func(n int) []Reading {
		rs := ordered(n, 10)
		return append(slices.Clone(rs[n/2:]), rs[:n/2]...)
	}},
	{"late", func(n int) []Reading {
		rs := ordered(n, 10)
		for i := 20; i < n; i += 20 {
			rs[i], rs[i-3] = rs[i-3], rs[i]
		}
		return rs
	}},
	{"random", func(n int) []Reading {
		rnd := rand.New(rand.NewPCG(1, 2))
		rs := make([]Reading, n)
		for i := range rs {
			rs[i] = Reading{rnd.Int64N(50), rnd.Int64N(3_600_000_000), rnd.Float64()}
			if i%10 == 9 {
				rs[i].Series, rs[i].Time = rs[i-5].Series, rs[i-5].Time
			}
		}
		return rs
	}},
	{"random 64-bit", func(n int) []Reading {
		rnd := rand.New(rand.NewPCG(1, 2))
		rs := make([]Reading, n)
		for i := range rs {
			rs[i] = Reading{int64(rnd.Uint64()), int64(rnd.Uint64()), rnd.Float64()}
		}
		return rs
	}},
}

func ordered(n, series int) []Reading {
	rs := make([]Reading, n)
	for i := range rs {
		rs[i] = Reading{int64(i / (n/series + 1)), int64(i) * 1_000_000, float64(i)}
	}
	return rs
}

func BenchmarkSort(b *testing.B) {
	for _, n := range []int{1000, 20_000} {
		for _, shape := range sortShapes {
			rs := shape.make(n)
			work := make([]Reading, n)
			b.Run(fmt.Sprintf("%d %s/readout", n, shape.name), func(b *testing.B) {
				for b.Loop() {
					copy(work, rs)
					Sort(work)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/reading")
			})
			b.Run(fmt.Sprintf("%d %s/SortStableFunc", n, shape.name), func(b *testing.B) {
				for b.Loop() {
					copy(work, rs)
					slices.SortStableFunc(work, Compare)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/reading")
			})
		}
	}
}
