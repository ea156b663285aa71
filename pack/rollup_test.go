package pack_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

func TestRollupsSayWhatTheReadingsAre(t *testing.T) {
	t.Parallel()
	rs := every(10*time.Second, 7, "2026-01-05 03:00:00", 900, func(i int) float64 { return float64(i%400) / 4 })

	day, hours := pack.Rollups(rs)

	want := stats.Summarize(rs)
	if day.Series != 7 || day.Start != at("2026-01-05 00:00:00") || day.Count != 900 || math.Abs(day.M2-want.M2) > 1e-6*want.M2 ||
		math.Abs(day.Sum-want.Sum) > 1e-6 || day.Min != 0 || day.Max != 99.75 || day.First != 0 || day.Last != 24.75 ||
		day.FirstAt != rs[0].Time || day.LastAt != rs[899].Time {
		t.Errorf("the day is %+v, want %+v", day, want)
	}
	if sketch, err := stats.ParseSketch(day.Sketch); err != nil || sketch.Count() != 900 || sketch.Quantile(1) != 99.75 {
		t.Errorf("the day's sketch is %+v, %v", sketch, err)
	}
	if len(hours) != 2 || hours[0].Start != at("2026-01-05 03:00:00") || hours[1].Start != at("2026-01-05 04:00:00") ||
		hours[0].Count != 360 || hours[1].Count != 360 {
		t.Errorf("the hours are %+v", hours)
	}
}

func TestRollupsLeaveOutWhatDoesNotPay(t *testing.T) {
	t.Parallel()
	check := func(n, hours, withSketch int, daySketch bool) {
		t.Helper()
		day, of := pack.Rollups(every(time.Second, 7, "2026-01-05 03:00:00", n, func(i int) float64 { return math.Exp(float64(i)) }))
		sketches := 0
		for _, h := range of {
			if len(h.Sketch) > 0 {
				sketches++
			}
		}
		if len(of) != hours || sketches != withSketch || (len(day.Sketch) > 0) != daySketch {
			t.Errorf("%d readings of an hour: %d hours, %d with a sketch, day's sketch %v", n, len(of), sketches, len(day.Sketch) > 0)
		}
	}
	check(1, 0, 0, false)
	check(63, 0, 0, false)
	check(64, 0, 0, true)
	check(pack.HourMin-1, 0, 0, true)
	check(pack.HourMin, 1, 0, true)
	check(pack.SketchMin-1, 1, 0, true)
	check(pack.SketchMin, 1, 1, true)
}

func TestDaysOfAFewReadingsHaveASmallSketch(t *testing.T) {
	t.Parallel()
	check := func(what string, n int, value func(i int) float64, most int, exact bool) {
		t.Helper()
		rs := every(10*time.Minute, 7, "2026-01-05 00:00:00", n, value)
		day, _ := pack.Rollups(rs)
		if len(day.Sketch) > most {
			t.Errorf("%s: %d readings have a sketch of %d bytes", what, n, len(day.Sketch))
		}
		if most == 0 {
			return
		}
		s, err := stats.ParseSketch(day.Sketch)
		if err != nil || s.Count() != int64(n) || s.Exact() != exact {
			t.Fatalf("%s: the sketch is of %d readings, exact %v: %v", what, s.Count(), s.Exact(), err)
		}
		of := append([]reading.Reading(nil), rs...)
		slices.SortFunc(of, func(a, b reading.Reading) int { return cmp.Compare(a.Value, b.Value) })
		if got, want := s.Quantile(0.5), (of[(n-1)/2].Value+of[n/2].Value)/2; math.Abs(got-want) > stats.Accuracy*math.Abs(want) {
			t.Errorf("%s: the median is %v, want %v", what, got, want)
		}
	}
	check("two values", 144, func(i int) float64 { return float64(i % 2) }, 72, true)
	check("values near to each other", 144, func(i int) float64 { return 20 + math.Sin(float64(i)) }, 72, false)
	check("values far apart", 144, func(i int) float64 { return math.Exp(float64(i)) }, 500, false)
	check("too few", 63, func(i int) float64 { return float64(i % 2) }, 0, false)
}

// A day's rollups are put together while it is read piece by piece: where the pieces end must not matter.
func TestRollupsOfADayOfSecondsAreThoseOfItsHours(t *testing.T) {
	t.Parallel()
	rs := every(time.Second, 7, "2026-01-05 00:00:00", 86400, func(i int) float64 { return math.Sin(float64(i)) * float64(i) })
	day, hours := pack.Rollups(rs)
	var sum stats.Summary
	var line stats.Line
	sketch := new(stats.Sketch)
	for i, h := range hours {
		if h.Count != 3600 || h.Start != day.Start+int64(i)*3600*1e6 {
			t.Errorf("hour %d is %+v", i, h)
		}
		part, err := stats.ParseSketch(h.Sketch)
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Merge(h.Summary)
		line = line.Append(stats.LineOf(h.Summary, h.Area, h.Increase))
		sketch.Merge(part)
	}
	want := store.Rollup{
		Series: 7, Start: at("2026-01-05 00:00:00"), Summary: sum, Sketch: sketch.Append(nil), Area: line.Area, Increase: line.Increase,
	}
	if rollupText(day) != rollupText(want) {
		t.Errorf("the day is\n%s, its hours make\n%s", rollupText(day), rollupText(want))
	}
}

// What lies between two hours is in neither, but in the day; and so are hours that have no row of their own.
func TestTheLineOfADayGoesThroughAllOfItsReadings(t *testing.T) {
	t.Parallel()
	rs := every(time.Hour/2, 7, "2026-01-05 00:15:00", 5, func(i int) float64 { return []float64{0, 3600, 0, 1800, 900}[i] })
	day, hours := pack.Rollups(rs)
	if len(hours) != 0 {
		t.Fatalf("hours of %d readings have rows: %+v", len(rs), hours)
	}
	if day.Area != 1800*(1800+1800+900+1350) || day.Increase != 3600+0+1800+900 {
		t.Errorf("the line of the day has the area %v and the increase %v", day.Area, day.Increase)
	}

	rs = every(10*time.Second, 7, "2026-01-05 00:20:00", 540, func(i int) float64 { return float64(i * i) })
	day, hours = pack.Rollups(rs)
	all, parts := stats.NewLine(rs, nil), hours[0].Area+hours[1].Area
	if math.Abs(day.Area-all.Area) > 1e-12*all.Area || day.Increase != all.Increase {
		t.Errorf("the line of the day has the area %v and the increase %v, want %v and %v", day.Area, day.Increase, all.Area, all.Increase)
	}
	if between := float64(5 * (239*239 + 240*240)); len(hours) != 2 || math.Abs(day.Area-parts-between) > 1e-12*all.Area {
		t.Errorf("the day has %v more than its hours, want %v", day.Area-parts, between)
	}
}
