package graph_test

import (
	"context"
	"iter"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
)

// nobodys is a project that only hold asks about.
const nobodys = -1

// gate is a source of statistics that counts what is read, and lets nothing of one project be read before it is opened.
type gate struct {
	analysis.Source
	engine *analysis.Engine
	closed atomic.Int64 // project
	asked  chan struct{}
	opened chan struct{}
	reads  atomic.Int64
}

// behindGate starts the API over an engine that sends away whom it has no place for.
func (w *world) behindGate(places int) *gate {
	w.t.Helper()
	g := &gate{asked: make(chan struct{}, 100), opened: make(chan struct{})}
	w.serveWith(func(past *history.Reader) *analysis.Engine {
		g.Source = past
		g.engine = analysis.New(g, analysis.Config{Parallel: places, Waiting: -1})
		return g.engine
	})
	return g
}

// hold takes a place at the engine until the gate is opened.
func (g *gate) hold(t *testing.T) {
	t.Helper()
	g.closed.Store(nobodys)
	go func() {
		_, _ = g.engine.Answer(t.Context(), analysis.Request{Groups: [][]analysis.Member{{{Project: nobodys, Series: 1}}}})
	}()
	<-g.asked
}

func (g *gate) pass(project int64) {
	if project == g.closed.Load() {
		g.asked <- struct{}{}
		<-g.opened
	}
	g.reads.Add(1)
}

func (g *gate) Spans(ctx context.Context, project int64, series []int64, from, to int64, want int) iter.Seq2[history.Span, error] {
	g.pass(project)
	return g.Source.Spans(ctx, project, series, from, to, want)
}

func (g *gate) First(ctx context.Context, project int64, series []int64) (int64, bool, error) {
	g.pass(project)
	return g.Source.First(ctx, project, series)
}

func (g *gate) Estimate(ctx context.Context, project int64, series []int64, from, to int64, most int) (int, bool, error) {
	g.pass(project)
	return g.Source.Estimate(ctx, project, series, from, to, most)
}

func TestLiveStatisticsBeginWhenTheEngineHasAPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	g := w.behindGate(1)
	w.minutes(w.ours.series, 0)
	g.hold(t)
	s := w.watch("viewer", hourly, bare)
	time.AfterFunc(500*time.Millisecond, func() { close(g.opened) }) // long after they have been sent away
	if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{0: 1}) {
		t.Errorf("got %+v", u)
	}
}

func TestASeriesThatComesWhileTheEngineIsBusyIsNotLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	g := w.behindGate(1)
	s := w.watch("viewer", hourly, bare)
	s.next()
	g.hold(t)
	w.minutes(w.more("humidity", nil), 60)
	time.AfterFunc(1500*time.Millisecond, func() { close(g.opened) }) // an answer was due after a second
	if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{60: 1}) {
		t.Errorf("got %+v", u)
	}
}

func TestLiveStatisticsTakeOnePlaceAtTheEngineTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	g := w.behindGate(2)
	w.minutes(w.ours.series, 0)
	g.closed.Store(w.ours.project)
	watchers := make([]*watcher, 5)
	for i := range watchers {
		watchers[i] = w.watch("viewer", hourly, bare)
	}
	<-g.asked
	for range 20 {
		if a := w.ask("stranger", `{ statistics(`+hourly+`) { series } }`); a.code() != ok {
			t.Fatalf("a query beside them: got %s", a.Body)
		}
	}
	close(g.opened)
	for i, s := range watchers {
		if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{0: 1}) {
			t.Errorf("%d: got %+v", i, u)
		}
	}
}

func TestLiveStatisticsComputeNothingForReadingsOfOtherTimes(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ window, fields string }{
		"buckets":       {`, window: {every: "PT1H"}`, bare},
		"total":         {`, window: {every: "PT1H"}`, bare + ` total { count }`},
		"no window":     {``, bare},
		"ranked":        {`, window: {every: "PT1H"}, top: {k: 1, by: SUM}`, bare},
		"of the line":   {`, window: {every: "PT1H"}`, bare + ` total { integral }`},
		"filled around": {`, window: {every: "PT1H"}, fill: LINEAR`, bare},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			g := w.behindGate(2)
			w.minutes(w.ours.series, 0)
			s := w.watch("viewer", `series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T02:00:00Z"}`+of.window, of.fields)
			s.next()
			before := g.reads.Load()
			const behind = 27 * 60 // farther than lines reach
			w.minutes(w.ours.series, behind, behind+1)
			time.Sleep(1500 * time.Millisecond) // longer than the time between two answers
			if n := g.reads.Load() - before; n > 0 {
				t.Errorf("%d reads", n)
			}
			w.minutes(w.ours.series, 1)
			if u := s.next(); len(u.groups) != 1 || !strings.Contains(s.state(), `"count":2`) {
				t.Errorf("got %+v", u)
			}
		})
	}
}
