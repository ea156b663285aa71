package tail_test

import (
	"math"
	"testing"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

// Each entry has a newer reading for each series, of the time of its offset.
func TestNewestIsAsOfExactlyOneOffset(t *testing.T) {
	t.Parallel()
	const entries = 2000
	series := []int64{1, 2, 3, 4, 5, 6, 7, 8}
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for offset := int64(1); offset <= entries; offset++ {
			e := journal.Entry{Project: project, Offset: offset}
			for _, s := range series {
				e.Readings = append(e.Readings, at(s, offset))
			}
			held.Apply(e)
		}
	}()
	for offset := int64(0); offset < entries; {
		var newest []tail.Newest
		offset, newest = held.Newest(project, series)
		for i, n := range newest {
			if n.Time != offset || n.Offset != offset || offset > 0 && n.Series != series[i] {
				t.Fatalf("as of offset %d series %d has %+v", offset, series[i], n)
			}
		}
	}
	<-done
}

func TestNewestSaysSinceWhenItIs(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(journal.Beginning{Project: project, After: 4, Latest: []reading.Reading{at(1, 50), at(2, 50), at(3, 50)}})
	held.Apply(journal.Entry{Project: project, Offset: 5, Readings: []reading.Reading{at(2, 60), at(4, 10)}})
	held.Apply(journal.Entry{Project: project, Offset: 6, Readings: []reading.Reading{at(1, 40), at(2, 55)}}) // late
	held.Apply(journal.Entry{Project: project, Offset: 7, Deletions: []reading.Deletion{{Series: 3, From: 45, To: math.MaxInt64}, reading.DeleteAll(4)}})
	want := []tail.Newest{
		{Reading: at(1, 50), State: tail.Known, Offset: 4},
		{Reading: at(2, 60), State: tail.Known, Offset: 5},
		{State: tail.Unknown, Offset: 7},
		{State: tail.None, Offset: 7},
		{},
	}
	offset, newest := held.Newest(project, []int64{1, 2, 3, 4, 5})
	for i := range want {
		if newest[i] != want[i] {
			t.Errorf("series %d: got %+v, want %+v", i+1, newest[i], want[i])
		}
	}
	if offset != 7 {
		t.Errorf("as of %d", offset)
	}
	if offset, newest = held.Newest(project+1, []int64{1}); offset != 0 || newest[0] != (tail.Newest{}) {
		t.Errorf("of a project that nobody started: %d, %+v", offset, newest)
	}
}
