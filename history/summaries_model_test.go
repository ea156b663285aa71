package history_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// summed is the answer to a query: what rollups said, and what was left, read.
type summed struct {
	units []history.Unit
	left  []history.Part
	read  []reading.Reading // of what was left
}

// mustSum answers q, and checks of the answer what holds whatever the readings are.
func (p *process) mustSum(t failer, q history.SummaryQuery) (s summed) {
	t.Helper()
	ctx := context.Background()
	var err error
	s.left, err = p.reader.Summaries(ctx, q, func(u *history.Unit) error {
		if q.Series[u.Place] != u.Series {
			t.Fatalf("%+v is not of the series at place %d", u.Rollup, u.Place)
		}
		kept := *u
		kept.Sketch = slices.Clone(u.Sketch)
		s.units = append(s.units, kept)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range s.left {
		if !slices.IsSorted(part.Series) || len(part.Series) == 0 {
			t.Fatalf("a part is of the series %v", part.Series)
		}
		for span, err := range p.reader.Spans(ctx, q.Project, part.Series, part.From, part.To, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			s.read = slices.Concat(append([][]reading.Reading{s.read}, span.Series...)...)
		}
	}
	s.check(t, q)
	return s
}

// check checks that no time of a series is answered twice, and that nothing reaches over a bound.
func (s summed) check(t failer, q history.SummaryQuery) {
	t.Helper()
	type stretch struct{ series, from, to int64 }
	var all []stretch
	for i, part := range s.left {
		if i > 0 && part.From < s.left[i-1].From || part.From < q.Bounds[0] || part.To > q.Bounds[len(q.Bounds)-1] || part.From >= part.To {
			t.Fatalf("the parts %v of %v", s.left, q.Bounds)
		}
		for _, series := range part.Series {
			all = append(all, stretch{series, part.From, part.To})
		}
	}
	for _, u := range s.units {
		if end := u.Start + u.Length; !u.Coarse {
			all = append(all, stretch{u.Series, u.Start, end})
			if u.Start < q.Bounds[0] || end > q.Bounds[len(q.Bounds)-1] ||
				slices.ContainsFunc(q.Bounds, func(b int64) bool { return u.Start < b && b < end }) {
				t.Fatalf("a bound of %v cuts the unit %+v", q.Bounds, u)
			}
		}
		if !u.Coarse && (q.Sketches && len(u.Sketch) == 0 || q.Lines && math.IsNaN(u.Area)) || u.Length != hour && u.Length != day {
			t.Fatalf("%+v does not answer %+v", u, q)
		}
	}
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(a.from, b.from)) })
	for i := range all {
		if i > 0 && all[i].series == all[i-1].series && all[i].from < all[i-1].to {
			t.Fatalf("answered twice: %v and %v", all[i-1], all[i])
		}
		if !slices.Contains(q.Series, all[i].series) {
			t.Fatalf("%v was not asked for", all[i])
		}
	}
}

// expect checks that the units and what is left say all that the model has, and nothing else.
func (s summed) expect(t failer, m model, q history.SummaryQuery) {
	t.Helper()
	var want []reading.Reading
	for _, series := range q.Series {
		want = append(want, m.between(series, q.Bounds[0], q.Bounds[len(q.Bounds)-1])...)
	}
	for _, u := range s.units {
		within := func(r reading.Reading) bool {
			return r.Series == u.Series && u.Start <= r.Time && r.Time < u.Start+u.Length
		}
		if !slices.ContainsFunc(want, within) {
			t.Fatalf("there are no readings for %+v", u)
		}
		want = slices.DeleteFunc(want, within)
		if right := rollupOf(m, u); !sameRollup(right, u.Rollup, q) {
			t.Fatalf("the unit is\n%+v, the readings make\n%+v", u.Rollup, right)
		}
	}
	slices.SortFunc(s.read, reading.Compare)
	if !slices.Equal(s.read, want) {
		t.Fatalf("%+v\nleft  %v\nread  %d readings: %.200v …\nwant  %d: %.200v …\nunits %+v",
			q, s.left, len(s.read), fmt.Sprint(s.read), len(want), fmt.Sprint(want), s.units)
	}
}

// rollupOf returns what the model says of the time of a unit.
func rollupOf(m model, u history.Unit) store.Rollup {
	from := u.Start - u.Start%day
	of, hours := pack.Rollups(m.between(u.Series, from, from+day))
	if u.Length == day {
		return of
	}
	for _, h := range hours {
		if h.Start == u.Start {
			return h
		}
	}
	return store.Rollup{}
}

// sameRollup compares bit by bit what was asked for.
func sameRollup(want, got store.Rollup, q history.SummaryQuery) bool {
	if q.Plain {
		want.Summary = want.Summary.Plain()
	}
	return want.Series == got.Series && want.Start == got.Start && want.Summary == got.Summary &&
		(!q.Sketches || slices.Equal(want.Sketch, got.Sketch)) &&
		(!q.Lines || math.Float64bits(want.Area) == math.Float64bits(got.Area) && want.Increase == got.Increase)
}

// appendHours appends so many readings to some hours of a day that they have rollups, some of them sketches.
func (s *story) appendHours(t *rapid.T) {
	series := rapid.SampledFrom(someSeries[:3]).Draw(t, "series")
	start := base + rapid.Int64Range(0, 3).Draw(t, "day")*day
	var rs []reading.Reading
	for range rapid.IntRange(1, 3).Draw(t, "hours") {
		from := start + rapid.Int64Range(0, 23).Draw(t, "hour")*hour
		n := rapid.SampledFrom([]int{pack.HourMin - 1, pack.HourMin, pack.SketchMin}).Draw(t, "readings")
		for i := range n {
			rs = append(rs, reading.Reading{Series: series, Time: from + int64(i)*6*second, Value: float64(i%100) / 10})
		}
	}
	s.process.mustAppend(t, s.project, rs...)
	s.model.append(rs...)
}

// anyBounds draws ascending times: on days, on hours, or anywhere.
func anyBounds(t *rapid.T) []int64 {
	var bounds []int64
	switch rapid.IntRange(0, 4).Draw(t, "bounds") {
	case 0: // days
		for i := range rapid.Int64Range(1, 6).Draw(t, "days") {
			bounds = append(bounds, base+i*day)
		}
	case 1: // days somewhere else
		for i := range rapid.Int64Range(1, 6).Draw(t, "days") {
			bounds = append(bounds, base+i*day-5*hour-1800*second)
		}
	case 2: // hours
		from := base + rapid.Int64Range(0, 100).Draw(t, "hour")*hour
		for i := range rapid.Int64Range(1, 60).Draw(t, "hours") {
			bounds = append(bounds, from+i*hour)
		}
	}
	if len(bounds) < 2 || rapid.Bool().Draw(t, "others") {
		bounds = append(bounds, rapid.SliceOfN(rapid.Custom(anyTime), 2, 5).Draw(t, "other bounds")...)
	}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

func (s *story) readSummaries(t *rapid.T) {
	series := rapid.SliceOfNDistinct(rapid.SampledFrom(someSeries), 1, -1, rapid.ID[int64]).Draw(t, "of")
	slices.Sort(series)
	q := history.SummaryQuery{
		Project: s.project, Series: series, Bounds: anyBounds(t),
		GoneOnly: rapid.IntRange(0, 3).Draw(t, "of the gone") == 0, Sketches: rapid.Bool().Draw(t, "sketches"), Lines: rapid.Bool().Draw(t, "lines"),
		Plain: rapid.Bool().Draw(t, "plain"),
	}
	if len(q.Bounds) < 2 {
		return
	}
	s.process.mustSum(t, q).expect(t, s.model, q)
}

func (s *story) readFirst(t *rapid.T) {
	series := rapid.SliceOfNDistinct(rapid.SampledFrom(someSeries), 1, -1, rapid.ID[int64]).Draw(t, "of")
	got, ok, err := s.process.reader.First(context.Background(), s.project, series)
	if err != nil {
		t.Fatal(err)
	}
	want := s.model.inTime(series, 0, math.MaxInt64)
	if ok != (len(want) > 0) || ok && got != want[0].Time {
		t.Fatalf("the first of %v is at %d, %v; want %v", series, got, ok, want)
	}
}

// Whatever has been packed, merged, settled, deleted or come late: each reading is in one rollup that says nothing else, or
// is left, once.
func TestSummariesAndWhatTheyLeaveAreAllReadings(t *testing.T) {
	t.Parallel()
	pool := database(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t, rt, pool)
		defer func() { s.process.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append":    s.append,
			"hours":     s.appendHours,
			"delete":    s.delete,
			"pack":      s.pack,
			"settle":    s.settle,
			"again":     s.settle,
			"restart":   func(*rapid.T) { s.restart() },
			"first":     s.readFirst,
			"summaries": s.readSummaries,
			"and more":  s.readSummaries,
		})
	})
}
