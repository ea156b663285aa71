package journal

import (
	"slices"
	"testing"

	"github.com/readout-dev/readout/reading"
)

func TestFlushGroupsRequestsByProject(t *testing.T) {
	t.Parallel()
	batch := []*request{
		{project: 1, readings: []reading.Reading{at(1, 10), at(1, 5)}},
		{project: 2, readings: []reading.Reading{at(1, 5)}},
		{project: 1, readings: []reading.Reading{at(1, 7), at(2, 1), {Series: 1, Time: 10, Value: 9}}},
	}
	f := &flusher{late: newLateness(func(int64, int64) (int64, bool) { return 0, false })}
	groups := groupByProject(batch)
	for _, g := range groups {
		f.prepare(g)
	}
	items := f.encode(groups)

	want := [][]reading.Reading{{at(1, 5), at(1, 7), {Series: 1, Time: 10, Value: 9}, at(2, 1)}, {at(1, 5)}}
	if len(items) != len(want) {
		t.Fatalf("%d entries, want %d", len(items), len(want))
	}
	for i, item := range items {
		got, err := reading.Decode(nil, item.Payload)
		if err != nil || !slices.Equal(got, want[i]) || item.Count != len(want[i]) || item.Project != int64(i+1) {
			t.Errorf("entry of project %d: %v, %v; want %v", item.Project, got, err, want[i])
		}
		if !slices.Equal(groups[i].readings, want[i]) {
			t.Errorf("the views of project %d get %v, want %v", item.Project, groups[i].readings, want[i])
		}
	}
	for i, want := range []int{1, 0, 2} {
		if got := batch[i].late; got != want {
			t.Errorf("%d late in request %d, want %d", got, i, want)
		}
	}
}
