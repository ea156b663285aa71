package analysis_test

import (
	"slices"
	"testing"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

func TestExplainNamesWhatReadingsCameFrom(t *testing.T) {
	t.Parallel()
	s := newStory(t, testdb.New(t))
	ask := func(cfg analysis.Config, readings, rollups int, sources ...string) {
		t.Helper()
		from, to := spring, spring+4*day
		a := s.mustAnswer(t, analysis.New(s.reader, cfg), analysis.Request{
			Groups: [][]analysis.Member{{{Project: s.projects[0], Series: 1}}}, From: &from, To: &to, Window: stats.Window{Every: period("P1D")},
		})
		if x := a.Explain; !slices.Equal(x.Sources, sources) || x.Readings != readings || x.Rollups != rollups {
			t.Errorf("got %+v, want %d readings and %d rollups of %v", x, readings, rollups, sources)
		}
	}
	at := func(days int64) reading.Reading {
		return reading.Reading{Series: 1, Time: spring + days*day + hour, Value: 1}
	}
	ask(analysis.Config{}, 0, 0)
	s.send(t, at(0), at(1))
	ask(analysis.Config{}, 2, 0, "TAIL")
	s.rest(t)
	ask(analysis.Config{}, 2, 0, "RAW")
	s.send(t, at(2))
	ask(analysis.Config{}, 3, 0, "TAIL", "RAW")
	ask(analysis.Config{RawSummaries: -1}, 1, 2, "TAIL", "DAY")
}
