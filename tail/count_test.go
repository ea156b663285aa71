package tail_test

import (
	"math"
	"testing"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

func TestCountIsOfWhatASnapshotHolds(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
	held.Apply(journal.Entry{Project: project, Offset: 1, Readings: []reading.Reading{at(1, 5), at(1, 6), at(1, 7), at(2, 6), at(3, 6)}})
	held.Apply(journal.Entry{Project: project, Offset: 2, Deletions: []reading.Deletion{reading.DeleteAll(3)}})
	f := func(project int64, from, to int64, want int, series ...int64) {
		t.Helper()
		if got := held.Count(project, series, from, to); got != want {
			t.Errorf("series %v from %d to %d: got %d, want %d", series, from, to, got, want)
		}
		n := 0
		for _, rs := range held.Snapshot(project, series, from, to).Readings {
			n += len(rs)
		}
		if n != want {
			t.Errorf("series %v from %d to %d: the snapshot has %d, want %d", series, from, to, n, want)
		}
	}
	f(project, 0, math.MaxInt64, 4, 1, 2, 3, 4)
	f(project, 6, 7, 2, 1, 2)
	f(project, 6, 6, 0, 1, 2)
	f(project, 7, 5, 0, 1)
	f(project, 0, math.MaxInt64, 1, 2)
	f(project, 0, math.MaxInt64, 0)
	f(project+1, 0, math.MaxInt64, 0, 1)
}
