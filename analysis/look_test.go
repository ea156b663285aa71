package analysis_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// recorder notes what is asked of a source.
type recorder struct {
	looking
	looks     []history.LookQuery
	spans     atomic.Int64
	summaries chan history.SummaryQuery
}

func newRecorder(m model, rolled float64) *recorder {
	return &recorder{looking: looking{newMemory(m, 1, rolled)}, summaries: make(chan history.SummaryQuery, 100)}
}

func (s *recorder) Look(ctx context.Context, q history.LookQuery, use func(history.Span) error) (history.Look, error) {
	s.looks = append(s.looks, q)
	return s.looking.Look(ctx, q, use)
}

func (s *recorder) Spans(ctx context.Context, project int64, series []int64, from, to int64, want int) iter.Seq2[history.Span, error] {
	s.spans.Add(1)
	return s.looking.Spans(ctx, project, series, from, to, want)
}

func (s *recorder) Summaries(ctx context.Context, q history.SummaryQuery, take func(*history.Unit) error) ([]history.Part, error) {
	s.summaries <- q
	return s.looking.Summaries(ctx, q, take)
}

func TestWhatIsLittleIsReadAtOneLook(t *testing.T) {
	t.Parallel()
	m := model{}
	for i := range int64(500) {
		m.append(1, reading.Reading{Series: 1, Time: spring + i*600*second, Value: float64(i % 7)})
	}
	from, to := spring+hour, spring+2*day
	r := analysis.Request{
		Groups: [][]analysis.Member{{one}}, From: &from, To: &to, Window: stats.Window{Every: period("PT1H")}, Need: stats.Need{Line: true, Values: true},
	}
	f := func(what string, raw, looks int, spans bool, change func(*recorder)) {
		t.Helper()
		source := newRecorder(m, 0)
		change(source)
		a, err := analysis.New(source, analysis.Config{RawValues: raw}).Answer(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		checkAnswer(t, a, r, source.readings)
		if len(source.looks) != looks || (source.spans.Load() > 0) != spans {
			t.Errorf("%s: %d looks, %d reads behind them", what, len(source.looks), source.spans.Load())
		}
	}
	f("little", 0, 1, false, func(*recorder) {})
	f("much", 100, 1, true, func(*recorder) {})
	f("outlived by rollups", 0, 1, true, func(s *recorder) { s.outlived = true })
	r.Shift = period("P1D")
	f("compared with the day before", 0, 2, false, func(*recorder) {})
	r.Groups[0] = append(r.Groups[0], analysis.Member{Project: 2, Series: 1})
	f("of two projects", 0, 0, true, func(*recorder) {})
}
