package analysis_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

var one, other = analysis.Member{Project: 1, Series: 1}, analysis.Member{Project: 2, Series: 1}

func TestSeriesThatRiseTogetherCorrelate(t *testing.T) {
	t.Parallel()
	m := model{}
	for i := range int64(48 * 60) {
		at, v := spring+i*60*second, math.Sin(float64(i))
		m.append(1, reading.Reading{Series: 1, Time: at, Value: v})
		if i >= 24*60 {
			v = -v // the second day they are opposed
		}
		m.append(2, reading.Reading{Series: 1, Time: at + second, Value: 3*v + 7})
	}
	for i := range int64(60) { // of the third day only one has readings
		m.append(1, reading.Reading{Series: 1, Time: spring + 2*day + i*60*second, Value: float64(i)})
	}
	for i := range int64(60) { // on the fourth, one does not change
		at := spring + 3*day + i*60*second
		m.append(1, reading.Reading{Series: 1, Time: at, Value: 1})
		m.append(2, reading.Reading{Series: 1, Time: at, Value: float64(i)})
	}
	from, to := spring, spring+4*day
	e := analysis.New(newMemory(m, 1, 0), analysis.Config{})
	got, how, err := e.Correlate(t.Context(), one, other, &from, &to, stats.Window{Every: period("P1D")}, period("PT1M"), time.Time{})
	if err != nil || len(got) != 4 {
		t.Fatalf("got %v, %v", got, err)
	}
	if want := 2*48*60 + 60 + 2*60; how.Resolution != "RAW" || how.Readings != want {
		t.Errorf("explained by %+v, want %d readings", how, want)
	}
	for i, want := range []struct {
		pairs int
		r     float64
	}{{1440, 1}, {1440, -1}, {0, math.NaN()}, {60, math.NaN()}} {
		c := got[i]
		if c.Pairs != want.pairs || c.Start != spring+int64(i)*day || c.End != c.Start+day || (c.R == nil) != math.IsNaN(want.r) {
			t.Errorf("day %d: %+v", i, c)
		} else if c.R != nil && math.Abs(*c.R-want.r) > 1e-9 {
			t.Errorf("day %d: %v, want %v", i, *c.R, want.r)
		}
	}
}

func TestCorrelationPairsMeansOfSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.append(1, anyReadings(1).Draw(t, "x")...)
		m.append(2, anyReadings(1).Draw(t, "y")...)
		source := newMemory(m, 1, rapid.SampledFrom([]float64{0, 1}).Draw(t, "rolled"))
		from, to := spring, spring+10*day
		w := anyWindow(t)
		step := period(rapid.SampledFrom([]string{"PT30M", "PT1H", "PT5H", "P2D"}).Draw(t, "step"))
		got, _, err := analysis.New(source, analysis.Config{RawSummaries: rapid.SampledFrom([]int{0, -1}).Draw(t, "raw")}).
			Correlate(t.Context(), one, other, &from, &to, w, step, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		bounds, _ := w.Bounds(from, to)
		if len(got) != len(bounds)-1 {
			t.Fatalf("%d buckets within %d bounds", len(got), len(bounds))
		}
		w.Every = step
		steps, _ := w.Bounds(from, to)
		for i, c := range got {
			var xs, ys []float64
			for k := range len(steps) - 1 {
				low, high := max(steps[k], bounds[i], from), min(steps[k+1], bounds[i+1], to)
				if low >= high {
					continue
				}
				x := naiveOf([]analysis.Member{one}, stats.Need{}, source.readings, low, high)
				y := naiveOf([]analysis.Member{other}, stats.Need{}, source.readings, low, high)
				if nx, ny := len(x.values), len(y.values); nx > 0 && ny > 0 {
					xs, ys = append(xs, x.sum/float64(nx)), append(ys, y.sum/float64(ny))
				}
			}
			r, ok := stats.Pearson(xs, ys)
			if c.Start != bounds[i] || c.End != bounds[i+1] || c.Pairs != len(xs) || ok && (c.R == nil || math.Abs(*c.R-r) > 1e-6) {
				t.Fatalf("bucket %d: %+v, want %d pairs, %v", i, c, len(xs), r)
			}
		}
	})
}

func TestCorrelationsOfNothingAndOfTooMuch(t *testing.T) {
	t.Parallel()
	source, _ := hourly(1)
	e := analysis.New(source, analysis.Config{})
	from, to := spring, spring+7*day
	if got, _, err := e.Correlate(t.Context(), one, other, &from, &from, stats.Window{}, period("PT1H"), time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("of no time: %v, %v", got, err)
	}
	if _, _, err := e.Correlate(t.Context(), one, other, &from, &to, stats.Window{}, period("PT1S"), time.Time{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "longer step") {
		t.Errorf("with 604,800 steps: %v", err)
	}
	if _, _, err := e.Correlate(t.Context(), one, other, &from, &to, stats.Window{}, stats.Period{}, time.Time{}); err != nil {
		t.Errorf("with one step: %v", err)
	}
}

// A month by the minute has more steps than an answer has buckets.
func TestCorrelationTakesMoreStepsThanBuckets(t *testing.T) {
	t.Parallel()
	m := model{}
	for i := range int64(30 * 24 * 60) {
		at := spring + i*60*second
		m.append(1, reading.Reading{Series: 1, Time: at, Value: math.Sin(float64(i))})
		m.append(2, reading.Reading{Series: 1, Time: at, Value: -math.Sin(float64(i))})
	}
	e := analysis.New(newMemory(m, 1, 0), analysis.Config{})
	from, to := spring, spring+30*day
	for _, w := range []stats.Window{{}, {Every: period("P1D")}, {Every: period("P1D"), FromRange: true}} {
		got, _, err := e.Correlate(t.Context(), one, other, &from, &to, w, period("PT1M"), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		pairs := 0
		for _, c := range got {
			pairs += c.Pairs
			if c.R == nil || math.Abs(*c.R+1) > 1e-9 {
				t.Errorf("%+v: not opposed", c)
			}
		}
		if pairs != 30*24*60 {
			t.Errorf("%d buckets have %d pairs, want one each minute", len(got), pairs)
		}
	}
}
