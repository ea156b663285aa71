package journal_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// A chart takes the tail's history and goes on live, while others append; its process is then replaced by another, and
// it resumes there with its last offset: in the end it has every reading once.
func TestChartHasEveryReadingOnceAcrossHistoryLiveAndARestart(t *testing.T) {
	t.Parallel()
	const before, during, after = 30, 40, 40
	first, project := setup(t, journal.Config{})
	appendAll := func(r *replica, from, n int) {
		for i := range n {
			r.mustAppend(t, project, at(1, int64(from+i)))
		}
	}
	appendAll(first, 0, before)

	var writing sync.WaitGroup
	writing.Go(func() { appendAll(first, before, during) })
	snapshot := first.tail.Snapshot(project, []int64{1}, 0, math.MaxInt64)
	place, chart := snapshot.Offset, snapshot.Readings[0]
	take := func(r *replica, entries int) {
		sub := r.hub.Subscribe(project, place)
		defer sub.Close()
		for range entries {
			e, err := sub.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			place = e.Offset
			chart = append(chart, e.Readings...)
		}
	}
	take(first, 5)
	writing.Wait()
	first.stop()

	second := start(t, first.pool, journal.Config{})
	if err := second.follower.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	writing.Go(func() { appendAll(second, before+during, after) })
	take(second, before+during+after-int(place))
	writing.Wait()

	var want []reading.Reading
	for i := range int64(before + during + after) {
		want = append(want, at(1, i))
	}
	if !slices.Equal(chart, want) {
		t.Errorf("the chart has %d readings, want %d", len(chart), len(want))
	}
}
