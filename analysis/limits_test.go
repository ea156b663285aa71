package analysis_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// hourly is a source of n series with a reading each hour of a week.
func hourly(n int) (*memory, [][]analysis.Member) {
	m := model{}
	groups := make([][]analysis.Member, n)
	for s := range n {
		groups[s] = []analysis.Member{{Project: 1, Series: int64(s + 1)}}
		for h := range int64(7 * 24) {
			m.append(1, reading.Reading{Series: int64(s + 1), Time: spring + h*hour, Value: float64(s) + float64(h)/1000})
		}
	}
	return newMemory(m, 1, 0), groups
}

func week(groups [][]analysis.Member) analysis.Request {
	from, to := spring, spring+7*day
	return analysis.Request{Groups: groups, From: &from, To: &to, Window: stats.Window{Every: period("PT1H")}}
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	t.Parallel()
	source, groups := hourly(2)
	e := analysis.New(source, analysis.Config{})
	from, to := spring, spring+day
	f := func(name string, change func(r *analysis.Request)) {
		t.Helper()
		r := week(groups)
		change(&r)
		if _, err := e.Answer(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("a range that ends before it begins", func(r *analysis.Request) { r.From, r.To = &to, &from })
	f("too many buckets", func(r *analysis.Request) { r.Window.Every = period("PT10S") })
	f("too many buckets of all groups", func(r *analysis.Request) { r.Window.Every = period("PT1M") })
	f("too many buckets of those that are kept", func(r *analysis.Request) { r.Window.Every, r.Keep = period("PT1M"), 2 })
	f("too many to rank", func(r *analysis.Request) {
		r.Groups, r.Keep = slices.Repeat(groups, 800), 1
	})
}

func TestOfMoreGroupsThanFitAFewAreRanked(t *testing.T) {
	t.Parallel()
	source, groups := hourly(3)
	r := week(groups)
	r.Window.Every, r.Keep = period("PT1M"), 1
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	a.Top(1, stats.Mean, false)
	if len(a.Groups) != 1 || a.Groups[0].Place != 2 {
		t.Errorf("got %+v", a.Groups)
	}
}

func TestARangeOfNothingIsAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	source, groups := hourly(2)
	e := analysis.New(source, analysis.Config{})
	now := time.UnixMicro(spring + 7*day)
	at, future := spring+hour, spring+30*day
	f := func(name string, groups [][]analysis.Member, from, to *int64) {
		t.Helper()
		a, err := e.Answer(t.Context(), analysis.Request{
			Groups: groups, From: from, To: to, Window: stats.Window{Every: period("PT1H")}, Shift: period("P1D"), Now: now,
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, g := range a.Groups {
			if len(a.Bounds) != 0 || len(g.Buckets) != 0 || !g.Total.Empty() || len(g.Previous) != 0 || !g.PreviousTotal.Empty() {
				t.Errorf("%s: %+v, %+v", name, a, g)
			}
		}
		if len(a.Groups) != len(groups) || a.Explain.Resolution != "RAW" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	f("one moment", groups, &at, &at)
	f("from the future on", groups, &future, nil)
	f("to before the first reading", groups, nil, new(int64))
	f("no readings", [][]analysis.Member{{{Project: 2, Series: 9}}}, nil, nil)
	f("a group of nothing", [][]analysis.Member{{}}, nil, nil)
	f("no groups", nil, nil, nil)
}

func TestSeriesWithoutReadingsCountAsSeries(t *testing.T) {
	t.Parallel()
	source, groups := hourly(1)
	silent := append(slices.Clone(groups[0]), analysis.Member{Project: 1, Series: 77}, analysis.Member{Project: 3, Series: 1})
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), week([][]analysis.Member{silent}))
	if err != nil {
		t.Fatal(err)
	}
	if b := a.Groups[0].Buckets[5]; b.Series != 3 || b.Summary.Count != 1 {
		t.Errorf("got %+v", b)
	}
}

func TestASeriesThatIsTwiceInAGroupCountsOnce(t *testing.T) {
	t.Parallel()
	source, groups := hourly(1)
	twice := slices.Repeat(groups[0], 2)
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), week([][]analysis.Member{twice}))
	if err != nil {
		t.Fatal(err)
	}
	if total := a.Groups[0].Total; total.Series != 1 || total.Summary.Count != 7*24 {
		t.Errorf("got %+v", total)
	}
}

func TestSourcesThatFailFailTheAnswer(t *testing.T) {
	t.Parallel()
	source, groups := hourly(2)
	source.rolled = 1
	for name, s := range map[string]broken{
		"first":     {first: true},
		"estimate":  {estimate: true},
		"summaries": {summaries: true},
		"a sketch":  {take: true},
	} {
		s.memory = source
		r := week(groups)
		r.From, r.Need.Values = nil, true
		r.Now = time.UnixMicro(spring + 7*day)
		_, err := analysis.New(s, analysis.Config{RawValues: -1}).Answer(t.Context(), r)
		if err == nil || name != "a sketch" && !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutTotalsTheseHaveNoValues(t *testing.T) {
	t.Parallel()
	source, groups := hourly(1)
	r := week(groups)
	r.Need.Values, r.NoTotals = true, true
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if g := a.Groups[0]; g.Total.Values.Count() != 0 || g.Total.Summary.Count != 7*24 || g.Buckets[0].Values.Count() != 1 {
		t.Errorf("the total has %d values", g.Total.Values.Count())
	}
}

func TestValuesBecomeSketchesWhereTheyAreTooMany(t *testing.T) {
	t.Parallel()
	source, groups := hourly(8)
	r := week([][]analysis.Member{slices.Concat(groups...)})
	r.Window, r.Need.Values = stats.Window{}, true
	f := func(name string, held int) {
		t.Helper()
		for most, exact := range map[int]bool{held - 1: false, held: true} {
			a, err := analysis.New(source, analysis.Config{MaxValues: most}).Answer(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			g := a.Groups[0]
			last := g.Buckets[0] // that is counted
			if g.Previous != nil {
				last = g.Previous[0]
			}
			if last.Exact() != exact || g.Buckets[0].Values.Count() != 7*24*8 {
				t.Errorf("%s, at most %d values: exact is %v, want %v", name, most, last.Exact(), exact)
			}
		}
	}
	f("with totals", 2*7*24*8)
	r.NoTotals = true
	f("without", 7*24*8)
	r.Shift = period("P1D")
	f("beside the day before", (7+6)*24*8)
}

func TestSketchesOfRollupsAreLimited(t *testing.T) {
	t.Parallel()
	source, groups := hourly(1)
	source.rolled = 1
	r := week(nil)
	r.Window.Every, r.Need.Values, r.Keep = period("P1D"), true, 1
	for n, fits := range map[int]bool{25_000 / 7: true, 25_000/7 + 1: false} {
		r.Groups = slices.Repeat(groups, n)
		_, err := analysis.New(source, analysis.Config{RawValues: -1}).Answer(t.Context(), r)
		if fits && err != nil || !fits && !fault.Is(err, fault.Invalid) {
			t.Errorf("sketches in %d buckets: %v", 7*n, err)
		}
	}
}

func TestLabelsAreLimited(t *testing.T) {
	t.Parallel()
	source, groups := hourly(40) // of two each
	for s := range groups {
		groups[s][0].Labels = map[string]string{"address": strconv.Itoa(s / 2)}
	}
	all := [][]analysis.Member{slices.Concat(groups...)}
	r := week(nil)
	r.Need.Labels, r.Keep = []string{"address"}, 1
	for rolled, raw := range map[float64]int{0: 0, 1: -1} {
		source.rolled = rolled
		for n, fits := range map[int]bool{297: true, 298: false} { // 298 groups of 20 addresses in 168 hours are more than a million
			r.Groups = slices.Repeat(all, n)
			_, err := analysis.New(source, analysis.Config{RawSummaries: raw}).Answer(t.Context(), r)
			if fits && err != nil || !fits && !fault.Is(err, fault.Invalid) {
				t.Errorf("%d values of labels: %v", n*20*168, err)
			}
		}
	}
}

func TestGroupsWhoseSeriesLackALabelHaveNoneOfItsValues(t *testing.T) {
	t.Parallel()
	source, groups := hourly(3)
	groups[0][0].Labels = map[string]string{"room": "1"}
	groups[2][0].Labels = map[string]string{"room": "1"}
	r := week(groups)
	r.Need.Labels = []string{"room"}
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	a.Top(3, stats.Distinct("room"), true)
	for i, want := range []int{1, 0, 2} {
		if a.Groups[i].Place != want {
			t.Errorf("at %d is group %d, want %d", i, a.Groups[i].Place, want)
		}
	}
	for _, b := range []*stats.Bucket{a.Groups[0].Buckets[0], a.Groups[0].Total} {
		if v, ok := stats.Distinct("room")(b); v != 0 || !ok {
			t.Errorf("without the label: %v, %v", v, ok)
		}
	}
}

func TestRollupsAreNotReadWhereNoHourIsWhole(t *testing.T) {
	t.Parallel()
	source, groups := hourly(2)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	for every, used := range map[string]bool{"PT1H": false, "PT2H": true} {
		r := week(groups)
		r.Window = stats.Window{Every: period(every), Zone: kolkata}
		_, err := analysis.New(broken{memory: source, summaries: true}, analysis.Config{RawSummaries: -1}).Answer(t.Context(), r)
		if errors.Is(err, errBroken) != used {
			t.Errorf("every %s: %v", every, err)
		}
	}
}

// bare is a source that is asked for rollups and has none.
type bare struct {
	*memory
	mu    sync.Mutex
	asked [][]int64 // the bounds
}

func (s *bare) Summaries(_ context.Context, q history.SummaryQuery, _ func(*history.Unit) error) ([]history.Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q.Bounds)
	return nil, nil
}

func (s *bare) First(ctx context.Context, project int64, series []int64) (int64, bool, error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	return s.memory.First(ctx, project, series)
}

func TestRollupsAreReadSomeYearsAtATimeWhereThereMayBeAny(t *testing.T) {
	t.Parallel()
	m := model{}
	m.append(1, reading.Reading{Series: 1, Time: spring + 7*hour, Value: 1})
	source, groups := newMemory(m, 1, 0), [][]analysis.Member{{one}}
	from, to := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	r := analysis.Request{Groups: groups, From: &from, To: &to, Need: stats.Need{Line: true}}
	s := &bare{memory: source}
	if _, err := analysis.New(s, analysis.Config{RawSummaries: -1}).Answer(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if n := len(s.asked); n < 2 || n > 4 || s.asked[0][0] != spring || slices.Max(s.asked[n-1]) != to+day {
		t.Errorf("%d stretches: %v", n, s.asked)
	}
	for i := range s.asked[1:] {
		if slices.Max(s.asked[i]) != s.asked[i+1][0] {
			t.Errorf("%v is followed by %v", s.asked[i], s.asked[i+1])
		}
	}
}

func TestExplainSaysWhatWasRead(t *testing.T) {
	t.Parallel()
	source, groups := hourly(1)
	f := func(rolled float64, raw int, every, shift string, want analysis.Explain) {
		t.Helper()
		source.rolled = rolled
		r := week(groups)
		r.Window.Every, r.Shift = period(every), period(shift)
		a, err := analysis.New(source, analysis.Config{RawSummaries: raw}).Answer(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got := a.Explain
		if got.Resolution != want.Resolution || got.Readings != want.Readings || got.Rollups != want.Rollups || !slices.Equal(got.Sources, want.Sources) || got.Took <= 0 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	f(0, 0, "P1D", "", analysis.Explain{Resolution: "RAW", Sources: []string{"RAW"}, Readings: 7 * 24})
	f(0, 0, "P1D", "P1D", analysis.Explain{Resolution: "RAW", Sources: []string{"RAW"}, Readings: 13 * 24})
	f(1, -1, "P1D", "", analysis.Explain{Resolution: "DAY", Sources: []string{"DAY"}, Rollups: 7})
	f(1, -1, "PT1H", "", analysis.Explain{Resolution: "HOUR", Sources: []string{"HOUR"}, Rollups: 7 * 24})
	f(1, -1, "PT30M", "", analysis.Explain{Resolution: "RAW", Sources: []string{"RAW"}, Readings: 7 * 24})
}
