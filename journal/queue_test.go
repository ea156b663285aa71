package journal

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

func TestQueueGivesRequestsInOrderAndWhole(t *testing.T) {
	t.Parallel()
	q := newQueue(100)
	for project, n := range []int{3, 4, 50, 1} {
		if err := q.put(requestOf(project, n)); err != nil {
			t.Fatal(err)
		}
	}
	expectTaken := func(maxReadings int, projects ...int64) {
		t.Helper()
		taken := q.take(nil, maxReadings)
		if len(taken) != len(projects) {
			t.Fatalf("%d requests taken, want %d", len(taken), len(projects))
		}
		for i, r := range taken {
			if r.project != projects[i] {
				t.Errorf("request %d taken is of %d, want %d", i, r.project, projects[i])
			}
		}
	}
	expectTaken(10, 0, 1)
	expectTaken(10, 2) // larger than asked for, so alone
	if n := q.size(); n != 1 {
		t.Errorf("%d readings wait, want 1", n)
	}
	expectTaken(10, 3)
	expectTaken(10)
}

func TestQueueRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	q := newQueue(10)
	expect := func(n int, code fault.Code, after time.Duration) {
		t.Helper()
		err := q.put(requestOf(0, n))
		if code == "" && err == nil {
			return
		}
		if f := fault.Of(err); err == nil || f.Code != code || f.RetryAfter != after {
			t.Errorf("%d readings: %v, want %q and %v to wait", n, err, code, after)
		}
	}
	expect(11, fault.TooLarge, 0)
	expect(6, "", 0)
	expect(5, fault.TooMany, time.Second)
	expect(4, "", 0)
	q.take(nil, 6)
	expect(5, "", 0)
	q.close()
	expect(1, fault.Unavailable, time.Second)
	if n := len(q.take(nil, 100)); n != 2 {
		t.Errorf("%d requests are left in a closed queue, want 2", n)
	}
}

func requestOf(project, readings int) *request {
	return &request{project: int64(project), readings: make([]reading.Reading, readings)}
}
