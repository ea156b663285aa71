package history_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
)

// glance is what a look has found and given.
type glance struct {
	history.Look
	spans  int
	series [][]reading.Reading
	fresh  int
}

func (p *process) mustLook(t failer, q history.LookQuery) (g glance) {
	t.Helper()
	var err error
	g.Look, err = p.reader.Look(context.Background(), q, func(span history.Span) error {
		g.spans++
		g.fresh = span.Fresh
		for _, rs := range span.Series {
			g.series = append(g.series, slices.Clone(rs))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestALookReadsWhatIsFew(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	s.send(at(2, 3*86400+60, 7))
	s.mustDelete(t, s.project, reading.Deletion{Series: 1, From: base + 2*day, To: base + 2*day + 10*hour + 30*second})
	s.model.delete(reading.Deletion{Series: 1, From: base + 2*day, To: base + 2*day + 10*hour + 30*second})
	q := history.LookQuery{Project: s.project, Series: []int64{2, 1}, From: base + 2*day, To: base + 3*day, Most: 1000, Few: 30}
	f := func(what string, fresh int) {
		t.Helper()
		g := s.mustLook(t, q)
		if !g.Read || g.spans != 1 || g.fresh != fresh {
			t.Fatalf("%s: %+v", what, g)
		}
		for i, series := range q.Series {
			expect(t, what, g.series[i], s.model.between(series, q.From-q.Margin, q.To+q.Margin)...)
		}
	}
	f("of two series, which are not in order", 0)
	q.Margin = hour
	f("with a margin, in which the tail has one", 1)
	q.Margin, q.Few = 2*day, 10_000
	f("with all that there is in the margins", 1)
}

func TestALookReadsNothingOfMuch(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	all := history.LookQuery{Project: s.project, Series: []int64{1, 2}, From: base, To: base + 3*day, Most: 1000}
	f := func(what string, readings int, change func(*history.LookQuery)) {
		t.Helper()
		q := all
		change(&q)
		if g := s.mustLook(t, q); g.Read || g.spans > 0 || g.Readings != readings {
			t.Errorf("%s: %+v", what, g)
		}
	}
	f("when nothing is to be read", 880, func(*history.LookQuery) {})
	f("when it is more", 880, func(q *history.LookQuery) { q.Few = 800 })
	f("when the margins have more", 30, func(q *history.LookQuery) { q.From, q.Few, q.Margin = base+day, 100, day })
	f("of an empty range", 0, func(q *history.LookQuery) { q.To, q.Few = q.From, 1000 })
	f("of no series", 0, func(q *history.LookQuery) { q.Series, q.Few = nil, 1000 })
	s.send(spread(2, 20*hour, 50)...)
	f("when the tail has more", 930, func(q *history.LookQuery) { q.Few = 40 })
	f("of so many series that only each fourth is looked at", 4*870+50, func(q *history.LookQuery) {
		q.Few = 10_000
		for id := int64(3); id <= 64; id++ {
			q.Series = append(q.Series, id)
		}
	})
	s.forgetOctober()
	f("when rollups tell of more", 70, func(q *history.LookQuery) { q.Few = 10_000 })
}

// A row of young says how many readings it has, but not of which series.
func TestALookGivesNothingOfWhatTurnsOutToBeMuch(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putYoung(t, pool, project, 1, append(spread(1, hour, 400), at(1000, 1, 1))...)
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{})
	q := history.LookQuery{Project: project, Series: []int64{1}, From: base, To: base + day, Most: 1000, Few: 10}
	if g := p.mustLook(t, q); g.Read || g.spans != 0 || g.Readings > 10 {
		t.Errorf("%+v", g)
	}
	q.Few = 200
	if g := p.mustLook(t, q); !g.Read || len(g.series[0]) != 400 {
		t.Errorf("%+v", g)
	}
}

func TestALookAtNothingGivesNothing(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	q := history.LookQuery{Project: s.project, Series: []int64{3}, From: math.MinInt64, To: math.MaxInt64, Few: 10, Margin: day}
	if g := s.mustLook(t, q); !g.Read || g.Readings != 0 || g.spans != 0 {
		t.Errorf("%+v", g)
	}
}

func TestALookEndsWithTheErrorOfTheCaller(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	broken := errors.New("broken")
	q := history.LookQuery{Project: s.project, Series: []int64{1}, From: base, To: base + 3*day, Few: 10_000}
	if _, err := s.reader.Look(t.Context(), q, func(history.Span) error { return broken }); err != broken { //nolint:errorlint // as it is
		t.Errorf("got %v", err)
	}
	if n := s.pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are held", n)
	}
}

func TestALookBeginsAgainWhenThePackerIsAhead(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	other := start(t, s.pool, history.Config{})
	other.mustRange(t, s.project, 1, 0, math.MaxInt64)
	// What the other process does not hear of: a reading that is packed, and a deletion that is not.
	s.send(at(2, 60, 1), at(2, 120, 2))
	s.pack()
	s.mustDelete(t, s.project, reading.Deletion{Series: 2, From: at(2, 120, 0).Time, To: at(2, 121, 0).Time})
	g := other.mustLook(t, history.LookQuery{Project: s.project, Series: []int64{2}, From: base, To: base + hour, Few: 100})
	expect(t, "after", g.series[0], at(2, 60, 1))
}
