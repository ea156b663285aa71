package pack_test

import (
	"math"
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
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
		day, of := pack.Rollups(every(time.Second, 7, "2026-01-05 03:00:00", n, func(i int) float64 { return float64(i) }))
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
	check(pack.HourMin-1, 0, 0, false)
	check(pack.HourMin, 1, 0, false)
	check(pack.SketchMin-1, 1, 0, false)
	check(pack.SketchMin, 1, 1, true)
}

// A day's rollups are put together while it is read piece by piece: where the pieces end must not matter.
func TestRollupsOfADayOfSecondsAreThoseOfItsHours(t *testing.T) {
	t.Parallel()
	rs := every(time.Second, 7, "2026-01-05 00:00:00", 86400, func(i int) float64 { return math.Sin(float64(i)) * float64(i) })
	day, hours := pack.Rollups(rs)
	var sum stats.Summary
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
		sketch.Merge(part)
	}
	want := store.Rollup{Series: 7, Start: at("2026-01-05 00:00:00"), Summary: sum, Sketch: sketch.Append(nil)}
	if rollupText(day) != rollupText(want) {
		t.Errorf("the day is\n%s, its hours make\n%s", rollupText(day), rollupText(want))
	}
}
