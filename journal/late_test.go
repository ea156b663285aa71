package journal

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

func TestLateIsWhatIsNotNewerThanItsSeries(t *testing.T) {
	t.Parallel()
	l := newLateness(func(project, series int64) (int64, bool) { return 10 * project, series == 1 })
	count := func(want int, rs ...reading.Reading) {
		t.Helper()
		if got := l.count(rs); got != want {
			t.Errorf("%d of %v are late, want %d", got, rs, want)
		}
	}
	l.begin(1)
	count(0, at(2, 5))             // a series without readings
	count(1, at(2, 5))             // sent twice
	count(2, at(1, 9), at(1, 10))  // known to the views
	count(1, at(1, 12), at(1, 11)) // in one request
	count(1, at(1, 11), at(2, 6), at(1, 13))
	l.begin(2)
	count(1, at(1, 20))
	count(0, at(1, 21), at(2, 1))
}

func TestLateDoesNotDependOnHowReadingsAreGrouped(t *testing.T) {
	t.Parallel()
	anyReading := rapid.Custom(func(t *rapid.T) reading.Reading {
		return at(rapid.Int64Range(1, 3).Draw(t, "series"), rapid.Int64Range(0, 15).Draw(t, "time"))
	})
	rapid.Check(t, func(t *rapid.T) {
		known := make(map[int64]int64) // what the views have
		latest := func(_, series int64) (int64, bool) {
			time, ok := known[series]
			return time, ok
		}
		apply := func(rs []reading.Reading) {
			for _, r := range rs {
				if time, ok := latest(0, r.Series); !ok || r.Time > time {
					known[r.Series] = r.Time
				}
			}
		}
		arrived := rapid.SliceOf(anyReading).Draw(t, "readings")

		want := 0
		for _, r := range arrived { // one flush for each
			if time, ok := latest(0, r.Series); ok && r.Time <= time {
				want++
			}
			apply([]reading.Reading{r})
		}

		clear(known)
		got := 0
		l := newLateness(latest)
		for len(arrived) > 0 {
			flush := arrived[:rapid.IntRange(1, len(arrived)).Draw(t, "flush")]
			arrived = arrived[len(flush):]
			l.begin(0)
			for rest := flush; len(rest) > 0; {
				request := rest[:rapid.IntRange(1, len(rest)).Draw(t, "request")]
				rest = rest[len(request):]
				got += l.count(request)
			}
			apply(flush)
		}
		if got != want {
			t.Fatalf("%d late, want %d", got, want)
		}
	})
}

func at(series, time int64) reading.Reading {
	return reading.Reading{Series: series, Time: time, Value: 1}
}
