package analysis_test

import (
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

// Where readings have gone by age and their rollups have not, these answer however few there are: in the bucket where their
// middle lies, when they reach over a bound.
func TestRollupsAnswerForReadingsThatAreGone(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	s := newStory(t, pool)
	var rs []reading.Reading
	for i := range int64(4 * 48) {
		rs = append(rs, reading.Reading{Series: 1, Time: spring + i*1800*second, Value: float64(i*i%1009) / 7})
	}
	s.send(t, rs...)
	s.rest(t)
	s.forget(t, pool, spring+40*day)
	f := func(every string, need stats.Need, coarse bool, count int, at ...int) {
		t.Helper()
		from, to := spring, spring+4*day
		a := s.mustAnswer(t, analysis.New(s.reader, analysis.Config{}), analysis.Request{
			Groups: [][]analysis.Member{{{Project: s.projects[0], Series: 1}}}, From: &from, To: &to,
			Window: stats.Window{Every: period(every)}, Need: need,
		})
		g := a.Groups[0]
		for _, i := range at {
			if b := g.Buckets[i]; b.Empty() || b.Summary.Count != count || b.Coarse != coarse {
				t.Errorf("%s, %+v: bucket %d is %+v", every, need, i, b)
			}
		}
		if g.Total.Summary.Count != 4*48 || g.Total.Coarse != coarse || a.Explain.Resolution != "DAY" || a.Explain.Readings != 0 {
			t.Errorf("%s, %+v: %+v, %+v", every, need, g.Total, a.Explain)
		}
	}
	f("P1D", stats.Need{}, false, 48, 0, 1, 2, 3)
	f("P1D", stats.Need{Line: true}, false, 48, 0, 1, 2, 3)
	f("P1D", stats.Need{Line: true, Thresholds: []float64{3}}, true, 48, 0, 1, 2, 3) // no rollup knows of these
	f("PT1H", stats.Need{Line: true}, true, 48, 12, 36, 60, 84)
	f("PT30M", stats.Need{}, true, 48, 24, 72)
	f("P1D", stats.Need{Values: true}, true, 48, 0, 1, 2, 3) // so few have no sketch
}

// forget has the readings of the months before a time go by age, and keeps their rollups.
func (s *story) forget(t *testing.T, pool *pgxpool.Pool, before int64) {
	t.Helper()
	days := int(time.Since(time.UnixMicro(before)).Hours() / 24)
	if _, err := pool.Exec(t.Context(), `update projects set keep_readings_days = $2 where id = $1`, s.projects[0], days); err != nil {
		t.Fatal(err)
	}
	if _, err := store.DeleteExpired(t.Context(), pool, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// For readings that are there, these answer, whatever has gone by age elsewhere in the range.
func TestReadingsThatAreThereAnswerThoughOthersAreGone(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	s := newStory(t, pool)
	april := spring + 10*day // is kept
	var rs []reading.Reading
	for _, from := range []int64{spring, april} {
		for i := range int64(3 * 1200) { // so many a day that they have sketches, which are not exact
			rs = append(rs, reading.Reading{Series: 1, Time: from + i*72*second, Value: 5 + float64(i%1200)/1000})
		}
	}
	s.send(t, rs...)
	s.rest(t)
	if err := s.packer.Settle(t.Context(), s.projects[0], time.UnixMicro(spring+80*day)); err != nil {
		t.Fatal(err)
	}
	s.forget(t, pool, april+20*day)
	s.send(t, reading.Reading{Series: 1, Time: april + 3*day, Value: 5}) // in the tail
	e := analysis.New(s.reader, analysis.Config{})
	ask := func(from int64) *analysis.Group {
		t.Helper()
		to := april + 4*day
		a := s.mustAnswer(t, e, analysis.Request{
			Groups: [][]analysis.Member{{{Project: s.projects[0], Series: 1}}}, From: &from, To: &to, Window: stats.Window{Every: period("P1D")},
			Need: stats.Need{Values: true, Line: true, Thresholds: []float64{3}},
		})
		return &a.Groups[0]
	}
	alone, all := ask(april), ask(spring)
	statistics := map[string]stats.Statistic{
		"above": stats.Above(3), "integral": stats.Integral, "weighted": stats.TimeWeightedMean, "p95": stats.Quantile(0.95), "rate": stats.Rate,
	}
	for day := range 4 {
		a, b := alone.Buckets[day], all.Buckets[10+day]
		if !a.Exact() || !b.Exact() {
			t.Errorf("day %d: alone exact is %v, with others %v", day, a.Exact(), b.Exact())
		}
		for name, of := range statistics {
			want, some := of(a)
			if got, ok := of(b); got != want || ok != some || !ok && name != "rate" && day < 3 {
				t.Errorf("day %d: %s is %v, alone %v", day, name, got, want)
			}
		}
	}
	if b := all.Buckets[0]; b.Empty() || b.Exact() {
		t.Errorf("a day that has gone is %+v", b)
	}
	if all.Total.Exact() || all.Total.Summary.Count != 6*1200+1 {
		t.Errorf("the total is %+v", all.Total)
	}
}

// A counter counts at one pace however its rollups are cut.
func TestTheRateOfWhatHasGoneIsNotMultiplied(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	s := newStory(t, pool)
	var rs []reading.Reading
	for i := range int64(9 * 72) {
		rs = append(rs, reading.Reading{Series: 1, Time: spring + i*1200*second, Value: float64(i)})
	}
	s.send(t, rs...)
	s.rest(t)
	s.forget(t, pool, spring+60*day)
	for _, every := range []string{"P3D", "P1D", ""} {
		from, to := spring+6*hour, spring+9*day
		a := s.mustAnswer(t, analysis.New(s.reader, analysis.Config{}), analysis.Request{
			Groups: [][]analysis.Member{{{Project: s.projects[0], Series: 1}}}, From: &from, To: &to,
			Window: stats.Window{Every: period(every), FromRange: true}, Need: stats.Need{Line: true},
		})
		for i, b := range append(a.Groups[0].Buckets, a.Groups[0].Total) {
			rate, ok := stats.Rate(b)
			if !ok || math.Abs(rate*1200-1) > 1e-9 || b.Line.Series != 1 || !b.Coarse {
				t.Errorf("every %s: bucket %d has a rate of %v, %v: %+v", every, i, rate, ok, b.Line)
			}
		}
	}
}
