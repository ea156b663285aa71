package reading

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// naiveMerge is what Merge must equal: the last reading of each (series, time), in order.
func naiveMerge(runs [][]Reading) []Reading {
	return naiveSort(slices.Concat(runs...))
}

func TestMergeKeepsTheReadingOfTheLaterRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		runs := make([][]Reading, rapid.IntRange(0, 9).Draw(t, "runs"))
		for i := range runs {
			runs[i] = Sort(anyReadings().Draw(t, "run"))
		}
		before := []Reading{{7, 7, 7}}
		kept := make([][]Reading, len(runs))
		for i, run := range runs {
			kept[i] = slices.Clone(run)
		}
		got := Merge(before, runs...)
		if want := naiveMerge(runs); !identical(got[1:], want) || got[0] != before[0] {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i, run := range runs {
			if !identical(run, kept[i]) {
				t.Fatalf("run %d has changed: %v, was %v", i, run, kept[i])
			}
		}
	})
}

// Long stretches of one run are copied as a whole: their ends must be found exactly.
func TestMergeFindsTheEndOfEveryStretch(t *testing.T) {
	t.Parallel()
	for length := 1; length < 100; length++ {
		for _, shared := range []bool{false, true} {
			var a, b []Reading
			for i := range int64(100) {
				a = append(a, Reading{1, 2 * i, 1})
			}
			at := int64(2*length - 1)
			if shared {
				at++
			}
			b = append(b, Reading{1, at, 2}, Reading{2, 0, 2})
			for name, runs := range map[string][][]Reading{"first": {b, a}, "last": {a, b}, "of three": {a[:50], b, a[50:]}} {
				if got, want := Merge(nil, runs...), naiveMerge(runs); !identical(got, want) {
					t.Errorf("after %d, %s: got %v, want %v", length, name, got, want)
				}
			}
		}
	}
}

func TestMergeAllocatesNothingWhenThereIsRoom(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for _, n := range []int{1, 2, 3, 24} {
		runs := mergeRuns(n, 1000, 10)
		dst := make([]Reading, 0, n*1000)
		if n := testing.AllocsPerRun(100, func() { dst = Merge(dst[:0], runs...) }); n > 0 {
			t.Errorf("%d runs: %v allocations", len(runs), n)
		}
	}
}

// mergeRuns makes runs as packing does: each holds all series, and the later ones later times.
func mergeRuns(runs, each, series int) [][]Reading {
	all := make([][]Reading, runs)
	for i := range all {
		for j := range each {
			s := j * series / each
			all[i] = append(all[i], Reading{int64(s), int64(i*each + j), 1})
		}
	}
	return all
}

func BenchmarkMerge(b *testing.B) {
	for _, c := range []struct{ runs, each, series int }{{2, 60_000, 1000}, {24, 4000, 1000}, {24, 4000, 4000}} {
		b.Run(fmt.Sprintf("%d runs of %d series", c.runs, c.series), func(b *testing.B) {
			runs := mergeRuns(c.runs, c.each, c.series)
			var dst []Reading
			b.ReportAllocs()
			for b.Loop() {
				dst = Merge(dst[:0], runs...)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(len(dst)), "ns/reading")
		})
	}
}
