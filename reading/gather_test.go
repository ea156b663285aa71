package reading

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestGatherGivesWhatSortDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		had := anyReadings().Draw(t, "had")
		var rs []Reading
		for _, entry := range rapid.SliceOf(anyReadings()).Draw(t, "entries") {
			rs = append(rs, entry...)
		}
		want := append(slices.Clone(had), naiveSort(rs)...)
		if got := Gather(slices.Clone(had), rs); !identical(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestGatherIsRightForManyReadings(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1000, 5000} {
		for _, shape := range sortShapes {
			rs := shape.make(n)
			want := naiveSort(rs)
			if got := Gather(nil, rs); !identical(got, want) {
				t.Errorf("%d, %s: not what a naive sort gives", n, shape.name)
			}
		}
	}
}

func TestGatherTakesSeriesThatAreFarApart(t *testing.T) {
	t.Parallel()
	rs := []Reading{{math.MaxInt64, 1, 1}, {math.MinInt64, 2, 2}, {0, 3, 3}, {math.MaxInt64, 1, 4}}
	want := naiveSort(rs)
	if got := Gather(nil, rs); !identical(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGatherAllocatesNothingWhereThereIsRoom(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for _, shape := range sortShapes {
		rs := shape.make(1000)
		work, dst := make([]Reading, len(rs)), make([]Reading, 0, len(rs))
		if n := testing.AllocsPerRun(100, func() { copy(work, rs); Gather(dst, work) }); n > 0 {
			t.Errorf("%s: %v allocations", shape.name, n)
		}
	}
}
