package graph

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/stats"
)

// hoursOf returns a group with a bucket for each of these hours.
func hoursOf(metric string, hours ...int64) *gql.StatisticGroup {
	g := &gql.StatisticGroup{Metric: &metric, Series: 1}
	for _, h := range hours {
		g.Buckets = append(g.Buckets, analysis.NewEmpty(h*time.Hour.Microseconds(), (h+1)*time.Hour.Microseconds(), &stats.Window{}))
	}
	return g
}

func hoursIn(g *gql.StatisticGroup) (hours []int) {
	for _, b := range g.Buckets {
		hours = append(hours, b.Start().UTC().Hour())
	}
	return hours
}

// A newcomer may be shown what nobody was sent, and be left without what everybody was: both are looked at again.
func TestNewcomerIsToldWhatBecameOfWhatHeIsShown(t *testing.T) {
	t.Parallel()
	all := part{from: 0, to: 24 * time.Hour.Microseconds(), window: &stats.Window{}}
	s := sent{}
	s.changes([]string{"a", "b"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 1)}, all)
	s.differ([]string{"a", "c"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 4), hoursOf("c", 1)}, false, false) // of a moment
	changed := s.changes([]string{"a", "b"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 1)}, all)
	if len(changed) != 2 || !slices.Equal(hoursIn(changed[0]), []int{3, 4}) || !slices.Equal(hoursIn(changed[1]), []int{1}) {
		t.Errorf("of those that are there: %d are sent", len(changed))
	}
	if gone := s.gone([]string{"a", "b"}, 0, 1); len(gone) != 1 || *gone[0].Metric != "c" || gone[0].Series != 0 {
		t.Errorf("of those that are not: %d are sent", len(gone))
	}
	s.differ([]string{"a", "b"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 1)}, false, false) // as they were sent
	if changed = s.changes([]string{"a", "b"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 1)}, all); len(changed) != 0 {
		t.Errorf("%d are sent once more", len(changed))
	}
}

// However many come, one answer is computed for all who do within a second.
func TestNewcomersShareAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &liveStatistics{ctx: t.Context(), answered: true, sent: sent{}} // which cannot compute any
		l.keep(&analysis.Answer{}, livePace)
		for range 3 {
			if groups, _, err := l.First(t.Context(), false); err != nil || groups == nil {
				t.Errorf("got %v, %v", groups, err)
			}
		}
		time.Sleep(livePace)
		synctest.Wait()
		if l.kept.Load() != nil {
			t.Error("it is kept for ever")
		}
		l.Resolver = &Resolver{}
		l.keep(&analysis.Answer{}, livePace)
		if _, err := l.refresh(t.Context()); err != nil || l.kept.Load() != nil {
			t.Errorf("it is kept when others were told of changes: %v", err)
		}
	})
}

func TestWhoLaggedIsToldWhatIsGone(t *testing.T) {
	t.Parallel()
	all := part{from: 0, to: 24 * time.Hour.Microseconds(), window: &stats.Window{}}
	s := sent{}
	s.changes([]string{"a", "b", "c"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 1), hoursOf("c", 1)}, all)
	s.changes([]string{"a"}, []*gql.StatisticGroup{hoursOf("a", 1, 3)}, all) // 2 is gone, and said to be
	if n := len(s.gone([]string{"a"}, 0, 1)); n != 2 {
		t.Errorf("%d groups are gone, not 2", n)
	}
	if n := len(s.gone([]string{"a"}, 0, 1)); n != 0 {
		t.Errorf("%d groups are gone once more", n)
	}
	f := func(want []int, gone int, keys []string, whole ...*gql.StatisticGroup) {
		t.Helper()
		n := len(whole)
		whole = s.bury(keys, whole, all.window)
		if !slices.Equal(hoursIn(whole[0]), want) || len(whole) != n+gone {
			t.Errorf("got %v and %d groups, want %v and %d more", hoursIn(whole[0]), len(whole), want, gone)
		}
		for _, g := range whole[n:] {
			if g.Series != 0 || len(g.Buckets) != 0 {
				t.Errorf("a group that is gone: %+v", g)
			}
		}
	}
	f([]int{1, 2, 3}, 2, []string{"a"}, hoursOf("a", 1, 3))
	f([]int{1, 2, 3}, 1, []string{"a", "b"}, hoursOf("a", 1, 2, 3), hoursOf("b", 5)) // both are there again
	s.changes([]string{"a", "b"}, []*gql.StatisticGroup{hoursOf("a", 1, 2, 3), hoursOf("b", 5)}, all)
	f([]int{1, 2, 3}, 1, []string{"a", "b"}, hoursOf("a", 1, 2, 3), hoursOf("b", 5))
	f([]int{2}, 1, []string{"a", "b"}, hoursOf("a", 2), hoursOf("b", 5)) // of 1 and 3 it will be told
}
