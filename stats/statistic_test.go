package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

var nothing = math.NaN()

func TestStatisticsAreThoseComputedByHand(t *testing.T) {
	t.Parallel()
	// A counter that begins anew at minute 4; from there to minute 1504 is more than a day.
	rs := at(0, 2, 1, 4, 2, 8, 4, 1, 1504, 5, 1505, 4)
	b := bucketOf(rs, 3)
	b.AddLabel("room", "2")
	b.AddLabel("room", "3")
	wants(t, b, "count", Count, 6)
	wants(t, b, "sum", Sum, 24)
	wants(t, b, "mean", Mean, 4)
	wants(t, b, "min", Min, 1)
	wants(t, b, "max", Max, 8)
	wants(t, b, "range", Range, 7)
	wants(t, b, "first", First, 2)
	wants(t, b, "last", Last, 4)
	wants(t, b, "delta", Delta, 2)
	wants(t, b, "variance", Variance, 30.0/5) // 4 + 0 + 16 + 9 + 1 + 0
	wants(t, b, "stddev", StdDev, math.Sqrt(6))
	wants(t, b, "median", Median, 4) // 1 2 4 4 5 8
	wants(t, b, "quantile 0.9", Quantile(0.9), 6.5)
	wants(t, b, "quantile 0.25", Quantile(0.25), 2.5)
	wants(t, b, "distinct", Distinct("room"), 2)
	wants(t, b, "distinct", Distinct("floor"), 0)
	// The line covers 0…4 and 1504…1505, 5 minutes; its areas are 3, 6, 9 and 4.5 value-minutes.
	wants(t, b, "time-weighted mean", TimeWeightedMean, 22.5/5)
	wants(t, b, "integral", Integral, 22.5/60)
	wants(t, b, "rate", Rate, (2.0+4+1+4)/300)                     // the fall from 5 to 4 is a restart, too
	wants(t, b, "above", Above(3), 60*(0.5+1+2*5.0/7+1))           // 2→4 half, 4→8, 8→1 five sevenths, 5→4
	wants(t, b, "below", Below(3), 60*(0.5+2*2.0/7))               // and the rest
	wants(t, b, "above what was not collected", Above(4), nothing) // not a threshold of the line
	wants(t, b, "completeness", Completeness(Period{Time: 300e9}, nil), 6.0/301)
}

func TestStatisticsOfNoReadingsAreNothing(t *testing.T) {
	t.Parallel()
	for name, of := range every() {
		want := nothing
		if name == "count" || name == "distinct" {
			want = 0
		}
		wants(t, nil, name+" of no bucket", of, want)
		if name == "completeness" {
			want = 0
		}
		wants(t, &Bucket{From: 0, To: 10_000_000, Series: 1}, name, of, want)
	}
	if box := boxOf(nil); box != nil {
		t.Errorf("a box: %v", box)
	}
	if bins := Histogram(nil, 3, nil, nil); bins != nil {
		t.Errorf("a histogram: %v", bins)
	}
}

func TestStatisticsOfOneReading(t *testing.T) {
	t.Parallel()
	b := bucketOf(at(1, 7), 5)
	for _, name := range []string{"sum", "mean", "min", "max", "first", "last", "median", "quantile 0", "quantile 1"} {
		wants(t, b, name, every()[name], 7)
	}
	for _, name := range []string{"range", "delta"} {
		wants(t, b, name, every()[name], 0)
	}
	for _, name := range []string{"variance", "stddev", "rate", "time_weighted_mean", "integral", "above", "below"} {
		wants(t, b, name, every()[name], nothing)
	}
}

// 0.1 is no binary fraction: sums of it are off, what is said of them is not.
func TestStatisticsOfEqualReadings(t *testing.T) {
	t.Parallel()
	b := bucketOf(series(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))
	for _, name := range []string{"mean", "min", "max", "first", "last", "median", "quantile 0.3"} {
		if got, ok := every()[name](b); !ok || got != 0.1 {
			t.Errorf("%s is %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"range", "delta", "variance", "stddev", "rate"} {
		if got, ok := every()[name](b); !ok || got != 0 {
			t.Errorf("%s is %v, %v", name, got, ok)
		}
	}
	wants(t, b, "time-weighted mean", TimeWeightedMean, 0.1)
	if box := boxOf(b); !slices.Equal(box, []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}) {
		t.Errorf("the box is %v", box)
	}
}

// Summaries of equal values that were put together may hold what rounding has left.
func TestEqualValuesDoNotVary(t *testing.T) {
	t.Parallel()
	b := &Bucket{Summary: Summary{Count: 10, Sum: 1, Min: 0.1, Max: 0.1, M2: 1e-33}}
	if v, ok := Variance(b); !ok || v != 0 {
		t.Errorf("got %v, %v", v, ok)
	}
}

func TestWhatWasNotCollectedIsNothing(t *testing.T) {
	t.Parallel()
	b := &Bucket{Series: 2, Summary: Summarize(series(1, 2, 3))}
	for _, name := range []string{"median", "quantile 1", "rate", "delta", "time_weighted_mean", "integral", "above", "distinct"} {
		wants(t, b, name, every()[name], nothing)
	}
	b.Series = 1
	wants(t, b, "delta of one series", Delta, 2)
	if box := boxOf(b); len(box) != 8 || box[0] != 1 || !math.IsNaN(box[1]) || box[4] != 3 || box[5] != 2 {
		t.Errorf("the box without values is %v", box)
	}
	if Histogram(b, 3, nil, nil) != nil {
		t.Error("a histogram without values")
	}
}

// boxOf returns the numbers of a bucket's box, in its order, NaN for what is nil; nil without a box.
func boxOf(b *Bucket) (numbers []float64) {
	box := Boxplot(func(of Statistic) *float64 {
		if v, ok := of(b); ok {
			return &v
		}
		return nil
	})
	if box == nil {
		return nil
	}
	for _, v := range []*float64{box.Min, box.Q1, box.Median, box.Q3, box.Max, box.Mean, box.P90, box.P99} {
		if v == nil {
			v = new(float64)
			*v = math.NaN()
		}
		numbers = append(numbers, *v)
	}
	return numbers
}

func TestBoxplotIsThatComputedByHand(t *testing.T) {
	t.Parallel()
	box := boxOf(bucketOf(series(5, 1, 4, 2, 3)))
	if want := []float64{1, 2, 3, 4, 5, 3, 4.6, 4.96}; !slices.Equal(box, want) {
		t.Errorf("got %v, want %v", box, want)
	}
}

// Values as far out as float64 goes: sums, squares and areas go beyond it.
func TestNoStatisticIsEverNaNOrInfinite(t *testing.T) {
	t.Parallel()
	extreme := rapid.OneOf(rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, 5e-324, 0, math.Copysign(0, -1), 1e300, 5}), rapid.Float64())
	rapid.Check(t, func(t *rapid.T) {
		rs := series(rapid.SliceOf(extreme).Draw(t, "values")...)
		b := bucketOf(rs, 5)
		other := bucketOf(series(rapid.SliceOf(extreme).Draw(t, "others")...), 5)
		if rapid.Bool().Draw(t, "spilled") {
			b.Values.Spill()
		}
		if rapid.Bool().Draw(t, "merged") {
			b.Merge(other)
		} else {
			b.Extend(other)
		}
		for name, of := range every() {
			if v, ok := of(b); !finite(v) || !ok && v != 0 {
				t.Fatalf("%s is %v, %v", name, v, ok)
			}
			gap := Gap{b, other, 0.3}
			if v, _ := FillLinear.Value(of, gap); !finite(v) {
				t.Fatalf("between them %s is %v", name, v)
			}
		}
		for _, bin := range Histogram(b, 7, nil, nil) {
			if !finite(bin.From) || !finite(bin.To) || bin.From > bin.To {
				t.Fatalf("the bin %v", bin)
			}
		}
		if r, _ := Pearson(sorted(rs), sorted(rs)); !finite(r) {
			t.Fatalf("correlation %v", r)
		}
	})
}

// naive computes what is said of readings of one series as one would at first.
func naive(rs []reading.Reading) map[string]float64 {
	said := map[string]float64{"sum": 0, "rate": nothing, "time_weighted_mean": nothing, "integral": nothing, "above": nothing, "below": nothing, "variance": nothing}
	for _, r := range rs {
		said["sum"] += r.Value
	}
	n := float64(len(rs))
	said["count"], said["mean"] = n, said["sum"]/n
	said["delta"] = rs[len(rs)-1].Value - rs[0].Value
	said["range"] = sorted(rs)[len(rs)-1] - sorted(rs)[0]
	said["median"] = percentileCont(sorted(rs), 0.5)
	said["quantile 0.3"] = percentileCont(sorted(rs), 0.3)
	if len(rs) > 1 {
		var squares float64
		for _, r := range rs {
			squares += math.Pow(r.Value-said["mean"], 2)
		}
		said["variance"] = squares / (n - 1)
	}
	var covered, area, increase, above float64
	for i := 1; i < len(rs); i++ {
		a, b, width := rs[i-1].Value, rs[i].Value, float64(rs[i].Time-rs[i-1].Time)/1e6
		if width > 86400 {
			continue
		}
		covered += width
		area += (a + b) / 2 * width
		if increase += b; b >= a {
			increase -= a
		}
		switch low, high := min(a, b), max(a, b); {
		case low > 5:
			above += width
		case high > 5:
			above += width * (high - 5) / (high - low)
		}
	}
	if covered > 0 {
		said["rate"], said["time_weighted_mean"], said["integral"] = increase/covered, area/covered, area/3600
		said["above"], said["below"] = above, covered-above
	}
	return said
}

func TestStatisticsEqualNaiveOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyLine(1).Draw(t, "readings")
		for i := range rs {
			if rs[i].Value == 5 {
				rs[i].Value = 6 // neither above nor below 5
			}
		}
		b := bucketOf(rs, 5)
		for name, want := range naive(rs) {
			got, ok := every()[name](b)
			scale := 1e6
			switch name {
			case "variance":
				scale = 1e12
			case "sum", "integral", "above", "below":
				scale = 1e9
			}
			if ok == math.IsNaN(want) || ok && math.Abs(got-want) > 1e-9*max(math.Abs(want), 1e-3*scale) {
				t.Fatalf("%s is %v, %v, want %v", name, got, ok, want)
			}
		}
	})
}
