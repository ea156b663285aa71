package reading

import (
	"slices"
	"testing"
)

func TestRunsAreTheSeriesInOrder(t *testing.T) {
	t.Parallel()
	rs := []Reading{{1, 1, 0}, {1, 2, 0}, {3, 1, 0}, {4, 1, 0}, {4, 2, 0}}
	var got []Reading
	var series []int64
	for s, run := range Runs(rs) {
		series, got = append(series, s), append(got, run...)
	}
	if !slices.Equal(series, []int64{1, 3, 4}) || !slices.Equal(got, rs) {
		t.Errorf("got %v, %v", series, got)
	}
	for range Runs(rs) {
		break // must not panic
	}
	for range Runs(nil) {
		t.Error("a run of nothing")
	}
}

func TestResolveReplacesPlacesByIDs(t *testing.T) {
	t.Parallel()
	b := Batch{Series: make([]Series, 2), Readings: []Reading{{1, 5, 0}, {0, 6, 0}}}
	if got := b.Resolve([]int64{70, 71}); !slices.Equal(got, []Reading{{71, 5, 0}, {70, 6, 0}}) {
		t.Errorf("got %v", got)
	}
}
