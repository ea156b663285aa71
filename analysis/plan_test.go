package analysis_test

import (
	"slices"
	"testing"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// manyReadings are so many that their work is divided: of 30 series, ten days.
func manyReadings() (m model, group []analysis.Member) {
	m = model{}
	for series := range int64(30) {
		group = append(group, analysis.Member{Project: 1, Series: series})
		for i := range int64(1440) {
			m.append(1, reading.Reading{Series: series, Time: spring + i*600*second, Value: float64((i*7919 + series) % 1009)})
		}
	}
	return m, group
}

func TestRollupsAreReadInTwoHalvesOfTime(t *testing.T) {
	t.Parallel()
	m, group := manyReadings()
	from, to := spring, spring+10*day
	r := analysis.Request{Groups: [][]analysis.Member{group[:20], group[20:]}, From: &from, To: &to}
	f := func(what, every string, need stats.Need, halves ...int64) {
		t.Helper()
		r.Window, r.Need = stats.Window{Every: period(every), FromRange: true}, need
		source := newRecorder(m, 0.9)
		a, err := analysis.New(source, analysis.Config{RawSummaries: 25_000, RawValues: 25_000}).Answer(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		checkAnswer(t, a, r, source.readings)
		close(source.summaries)
		var cuts []int64
		for q := range source.summaries {
			if whole := len(q.Series) == len(group); whole != (len(halves) > 0) {
				t.Errorf("%s: %d series are read together", what, len(q.Series))
			}
			if q.Bounds[0] > from {
				cuts = append(cuts, q.Bounds[0])
			}
		}
		if len(halves) > 0 && !slices.Equal(cuts, halves) {
			t.Errorf("%s: divided at %v, want %v", what, cuts, halves)
		}
	}
	f("by day", "P1D", stats.Need{Values: true}, spring+5*day)
	f("by three days", "P3D", stats.Need{}, spring+6*day)
	f("by nine days", "P9D", stats.Need{})
	f("in one bucket", "", stats.Need{})
	f("with lines", "P1D", stats.Need{Line: true})
}
