package analysis_test

import (
	"encoding/csv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// machine returns the real readings of an industrial machine in the order of the file, and what they come to: later lines win.
func machine(t *testing.T) (rs []reading.Reading, byTime map[int64]float64) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "nab", "machine_temperature_system_failure.csv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the real data is missing: %v", err)
		}
		t.Skipf("the real data is missing: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	byTime = map[int64]float64{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			t.Fatal(err)
		}
		value, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		byTime[at.UnixMicro()] = value
		rs = append(rs, reading.Reading{Series: 1, Time: at.UnixMicro(), Value: value})
	}
	if len(rs) != 22_695 || len(byTime) != 22_683 {
		t.Fatalf("the data has %d lines and %d times", len(rs), len(byTime))
	}
	return rs, byTime
}

// schoolbook is what the statistics of some values are, by the definitions alone.
func schoolbook(values []float64) map[string]float64 {
	values = slices.Sorted(slices.Values(values))
	n := float64(len(values))
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	mean, squares := sum/n, 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	quantile := func(q float64) float64 { // definition 7 of Hyndman and Fan
		below := int(q * (n - 1))
		above := min(below+1, len(values)-1)
		return values[below] + (q*(n-1)-float64(below))*(values[above]-values[below])
	}
	return map[string]float64{
		"count": n, "sum": sum, "mean": mean, "min": values[0], "max": values[len(values)-1], "stddev": math.Sqrt(squares / (n - 1)),
		"q1": quantile(0.25), "median": quantile(0.5), "q3": quantile(0.75), "p90": quantile(0.9), "p99": quantile(0.99),
	}
}

// engineered is the same of a bucket; without quantiles where they were not asked for.
func engineered(s *analysis.Statistic) map[string]float64 {
	got := map[string]float64{"count": float64(s.Count())}
	box := s.Boxplot()
	for name, v := range map[string]*float64{
		"sum": s.Sum(), "mean": s.Mean(), "min": s.Min(), "max": s.Max(), "stddev": s.Stddev(),
		"q1": box.Q1, "median": box.Median, "q3": box.Q3, "p90": box.P90, "p99": box.P99,
	} {
		if v != nil {
			got[name] = *v
		}
	}
	return got
}

func TestStatisticsOfTheMachineAreThoseOfItsFile(t *testing.T) {
	t.Parallel()
	rs, byTime := machine(t)
	s := newDataStore(t)
	p := s.newProject(t)
	p.append(rs[:20_000])
	p.settle()
	p.append(rs[20_000:]) // the last days are in the tail

	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		window stats.Window
		bucket func(at time.Time) time.Time
	}{
		"hours": {stats.Window{Every: stats.Hour.Period()}, func(at time.Time) time.Time { return at.Truncate(time.Hour) }},
		"days":  {stats.Window{Every: stats.Day.Period()}, func(at time.Time) time.Time { return at.Truncate(24 * time.Hour) }},
		"days in Berlin": {stats.Window{Every: stats.Day.Period(), Zone: berlin}, func(at time.Time) time.Time {
			y, m, d := at.In(berlin).Date()
			return time.Date(y, m, d, 0, 0, 0, 0, berlin)
		}},
	} {
		values := map[int64][]float64{}
		for at, v := range byTime {
			start := c.bucket(time.UnixMicro(at).UTC()).UnixMicro()
			values[start] = append(values[start], v)
		}
		for how, ask := range map[string]struct {
			engine *analysis.Engine
			need   stats.Need
		}{
			"planned": {s.engine, stats.Need{Values: true}},
			// Days of 288 readings have no sketches: so that they are answered by rollups, no quantiles are asked for.
			"by rollups": {s.eager, stats.Need{}},
		} {
			a, err := ask.engine.Answer(t.Context(), analysis.Request{
				Groups: [][]analysis.Member{{{Project: p.id, Series: 1}}}, Window: c.window, Need: ask.need,
				Now: time.UnixMicro(slices.Max(slices.Collect(maps.Keys(byTime))) + 1),
			})
			if err != nil {
				t.Fatal(err)
			}
			if how == "by rollups" && name == "days" && a.Explain.Rollups != 69 {
				t.Errorf("%d rollups were read, want one for each settled day but the first, which is cut, and the last, which goes on in the tail", a.Explain.Rollups)
			}
			shown := a.Statistics(0, stats.FillNone)
			if len(shown) != len(values) {
				t.Errorf("%s, %s: %d buckets, want %d", name, how, len(shown), len(values))
			}
			for _, b := range shown {
				compareSchoolbook(t, name+", "+how, b, ask.need.Values, schoolbook(values[b.Start().UnixMicro()]))
			}
		}
	}
}

// compareSchoolbook compares all statistics of a bucket that were asked for.
func compareSchoolbook(t *testing.T, name string, b *analysis.Statistic, quantiles bool, want map[string]float64) {
	t.Helper()
	got := engineered(b)
	if !b.Exact() {
		t.Errorf("%s from %s is not exact, of so few readings", name, b.Start())
	}
	for statistic, w := range want {
		tolerance := 1e-12
		switch statistic {
		case "stddev":
			tolerance = 1e-9 // differences of close numbers
		case "count", "min", "max":
			tolerance = 0
		case "q1", "median", "q3", "p90", "p99":
			if !quantiles {
				continue
			}
		}
		if g, there := got[statistic]; !there || math.Abs(g-w) > tolerance*math.Abs(w) {
			t.Errorf("%s: %s from %s is %v, the file has %v", name, statistic, b.Start().Format(time.RFC3339), g, w)
		}
	}
}
