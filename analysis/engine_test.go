package analysis_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// spring is before a night in which clocks of Berlin are put forward.
var spring = time.Date(2018, 3, 23, 0, 0, 0, 0, time.UTC).UnixMicro()

// anyReadings draws readings of a series over some days: regular or not, of few values or many, with gaps.
func anyReadings(series int64) *rapid.Generator[[]reading.Reading] {
	return rapid.Custom(func(t *rapid.T) []reading.Reading {
		n := rapid.IntRange(0, 300).Draw(t, "readings")
		at := spring + int64(rapid.IntRange(0, 3*24).Draw(t, "begin"))*hour
		regular := rapid.Bool().Draw(t, "regular")
		step := int64(rapid.SampledFrom([]int{1, 10, 60, 600, 3600, 30_000}).Draw(t, "step")) * second
		decimals := rapid.SampledFrom([]float64{1, 10, 1e6}).Draw(t, "decimals")
		rng := rapid.IntRange(0, 1<<30).Draw(t, "seed")
		rs := make([]reading.Reading, n)
		for i := range rs {
			rng = (rng*1_103_515_245 + 12_345) & (1<<31 - 1)
			rs[i] = reading.Reading{Series: series, Time: at, Value: float64(rng%4000-2000) / decimals}
			at += step
			if !regular {
				at += int64(rng>>8) % step
				if rng>>8%97 == 0 {
					at += int64(rng % int(40*hour))
				}
			}
		}
		return rs
	})
}

var (
	zones   = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe"}
	everies = []string{"", "PT30M", "PT1H", "PT6H", "PT7H", "P1D", "P2D", "P1W", "P1M"}
)

func anyWindow(t *rapid.T) stats.Window {
	w := stats.Window{FromRange: rapid.Bool().Draw(t, "from the range")}
	w.Zone, _ = time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	w.Every = period(rapid.SampledFrom(everies).Draw(t, "every"))
	return w
}

func period(text string) stats.Period {
	if text == "" {
		return stats.Period{}
	}
	p, err := stats.ParsePeriod(text)
	if err != nil {
		panic(err)
	}
	return p
}

func anyNeed(t *rapid.T) stats.Need {
	n := stats.Need{Values: rapid.Bool().Draw(t, "values"), Line: rapid.Bool().Draw(t, "line")}
	if n.Line && rapid.Bool().Draw(t, "thresholds") {
		n.Thresholds = []float64{-3.5, 0, 12}
	}
	n.Plain = rapid.Bool().Draw(t, "plain")
	if rapid.Bool().Draw(t, "labels") {
		n.Labels = []string{"room", "version"}
	}
	return n
}

// anyGroups draws groups of series, which may share some; series without readings, too.
func anyGroups(t *rapid.T, keys []key) (groups [][]analysis.Member) {
	for range rapid.IntRange(1, 3).Draw(t, "groups") {
		var group []analysis.Member
		for _, k := range rapid.Permutation(keys).Draw(t, "order") {
			if rapid.Bool().Draw(t, "member") {
				group = append(group, analysis.Member{Project: k.project, Series: k.series, Labels: map[string]string{"room": fmt.Sprint(k.series % 3)}})
			}
		}
		groups = append(groups, group)
	}
	return groups
}

func anyRange(t *rapid.T) (from, to *int64) {
	bound := func(name string, least int64) *int64 {
		b := least + int64(rapid.IntRange(0, 20*24*60).Draw(t, name))*60*second
		if rapid.Bool().Draw(t, name+" not on a minute") {
			b += int64(rapid.IntRange(0, 59_999_999).Draw(t, name+" µs"))
		}
		return &b
	}
	if rapid.Bool().Draw(t, "has from") {
		from = bound("from", spring)
	}
	if rapid.Bool().Draw(t, "has to") {
		least := spring
		if from != nil {
			least = *from
		}
		to = bound("to", least)
	}
	return from, to
}

// checkAnswer compares an answer with what the readings say.
func checkAnswer(t interface {
	Helper()
	Errorf(format string, args ...any)
}, a *analysis.Answer, r analysis.Request, readings map[key][]reading.Reading,
) {
	t.Helper()
	check := func(g int, buckets []*stats.Bucket, total *stats.Bucket, bounds []int64, from, to int64) {
		t.Helper()
		if len(buckets) != max(len(bounds)-1, 0) {
			t.Errorf("%d buckets within %d bounds", len(buckets), len(bounds))
			return
		}
		for i, b := range buckets {
			low, high := max(bounds[i], from), min(bounds[i+1], to)
			if text := naiveOf(r.Groups[g], r.Need, readings, low, high).differs(b, r.Need); text != "" {
				t.Errorf("group %d, bucket %d, %v to %v: %s", g, i, time.UnixMicro(low).UTC(), time.UnixMicro(high).UTC(), text)
			}
			if b != nil && (b.Start != bounds[i] || b.End != bounds[i+1] || b.From != low || b.To != high || b.Series != len(r.Groups[g]) || b.Empty()) {
				t.Errorf("group %d, bucket %d: %+v", g, i, *b)
			}
		}
		if text := naiveOf(r.Groups[g], r.Need, readings, from, to).differs(total, r.Need); text != "" {
			t.Errorf("group %d, total: %s", g, text)
		}
		if total.From != from || total.To != to || total.Start != from || total.End != to || total.Series != len(r.Groups[g]) {
			t.Errorf("group %d, total: %+v", g, *total)
		}
	}
	for g, group := range a.Groups {
		check(g, group.Buckets, group.Total, a.Bounds, a.From, a.To)
		if !r.Shift.IsZero() {
			from, to := r.Shift.Shift(a.From, -1, r.Window.Zone), r.Shift.Shift(a.To, -1, r.Window.Zone)
			check(g, group.Previous, group.PreviousTotal, a.PreviousBounds, from, max(from, to)) // 28 and 29 March have one day in February
		}
	}
}

func TestAnswersAreWhatTheReadingsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, keys := model{}, []key{}
		for project := range int64(rapid.IntRange(1, 2).Draw(t, "projects")) {
			for series := range int64(rapid.IntRange(1, 4).Draw(t, "series")) {
				k := key{project + 1, 10*series + 1}
				keys = append(keys, k)
				m.append(k.project, anyReadings(k.series).Draw(t, "readings")...)
			}
		}
		r := analysis.Request{Groups: anyGroups(t, keys), Window: anyWindow(t), Need: anyNeed(t), Now: time.UnixMicro(spring + 30*day)}
		r.From, r.To = anyRange(t)
		r.Shift = period(rapid.SampledFrom([]string{"", "", "PT1H", "P1D", "P7D", "P1M"}).Draw(t, "shift"))
		rolled := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "rolled")
		source := newMemory(m, uint64(rapid.IntRange(0, 1000).Draw(t, "chance")), rolled)
		engine := analysis.New(rapid.SampledFrom([]analysis.Source{source, looking{source}}).Draw(t, "source"), analysis.Config{
			RawSummaries: rapid.SampledFrom([]int{-1, 100, 0}).Draw(t, "raw summaries"),
			RawValues:    rapid.SampledFrom([]int{-1, 100, 0}).Draw(t, "raw values"),
			MaxValues:    rapid.SampledFrom([]int{0, 0, 50}).Draw(t, "most values"),
		})
		a, err := engine.Answer(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if a.From < a.To {
			if want, err := r.Window.Bounds(a.From, a.To); err != nil || !slices.Equal(a.Bounds, want) {
				t.Fatalf("bounds %v instead of %v (%v)", a.Bounds, want, err)
			}
		}
		checkAnswer(t, a, r, source.readings)
	})
}

func TestOfReadingsOfOneTimeTheOrderOfSeriesDecides(t *testing.T) {
	t.Parallel()
	m := model{}
	var group []analysis.Member
	for series := range int64(5) {
		group = append(group, analysis.Member{Project: 1, Series: series})
		for i := range int64(48) {
			m.append(1, reading.Reading{Series: series, Time: spring + i*hour, Value: float64(series)})
		}
	}
	slices.Reverse(group)
	from, to := spring, spring+2*day
	for chance := range uint64(20) { // rollups and readings come in any order
		a, err := analysis.New(newMemory(m, chance, 0.7), analysis.Config{RawSummaries: -1}).Answer(t.Context(), analysis.Request{
			Groups: [][]analysis.Member{group}, From: &from, To: &to, Window: stats.Window{Every: period("P1D")},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range a.Groups[0].Buckets {
			if b.Summary.First != 0 || b.Summary.Last != 4 {
				t.Errorf("bucket %d begins with series %v and ends with %v", i, b.Summary.First, b.Summary.Last)
			}
		}
	}
}

// In Berlin, an hour of 28 October 2018 was there twice, and none of the day before.
func TestBucketsOfAnEarlierTimeAreInOrderWhereverTheClockChanges(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	m := model{}
	midnight := time.Date(2018, 10, 27, 0, 0, 0, 0, berlin).UnixMicro()
	for i := range int64(49 * 6) {
		m.append(1, reading.Reading{Series: 1, Time: midnight + i*600*second, Value: float64(i)})
	}
	from, to := midnight+day, midnight+day+25*hour
	source := newMemory(m, 1, 0)
	r := analysis.Request{
		Groups: [][]analysis.Member{{one}}, From: &from, To: &to, Shift: period("P1D"),
		Window: stats.Window{Every: period("PT30M"), Zone: berlin},
	}
	a, err := analysis.New(source, analysis.Config{}).Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, a, r, source.readings)
	if len(a.Bounds) != 51 || len(a.PreviousBounds) != 51 || !slices.IsSorted(a.PreviousBounds) {
		t.Errorf("bounds %v, before them %v", a.Bounds, a.PreviousBounds)
	}
	if g := a.Groups[0]; g.Total.Summary.Count != 150 || g.PreviousTotal.Summary.Count != 144 {
		t.Errorf("%d readings, a day before %d", g.Total.Summary.Count, g.PreviousTotal.Summary.Count)
	}
}
