package stats

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

// However many were asked for before, and whatever was added meanwhile, a quantile is that of all values.
func TestQuantilesDoNotDependOnHowManyThereAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d Distribution
		var all []float64
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			some := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 60).Draw(t, "values")
			var rs []reading.Reading
			for _, v := range some {
				rs = append(rs, reading.Reading{Value: v})
			}
			if rapid.Bool().Draw(t, "merged") {
				var o Distribution
				o.AddValues(rs)
				d.Merge(&o)
			} else {
				d.AddValues(rs)
			}
			all = append(all, some...)
			for range rapid.IntRange(0, 2*manyQuantiles).Draw(t, "quantiles") {
				q := rapid.Float64Range(0, 1).Draw(t, "q")
				if got, want := d.Quantile(q), quantileOf(slices.Clone(all), q); got != want {
					t.Fatalf("the quantile %v of %d values is %v, want %v", q, len(all), got, want)
				}
			}
		}
	})
}

func TestManyQuantilesTakeTheTimeOfSorting(t *testing.T) {
	t.Parallel()
	const n = 300_000
	rs := noise(n, 20, 2)
	var d Distribution
	d.AddValues(rs)
	began := time.Now()
	slices.Sort(slices.Clone(d.values))
	sorting := time.Since(began)
	began = time.Now()
	for i := range 1000 {
		d.Quantile(float64(i) / 1000)
	}
	if took := time.Since(began); took > 5*sorting { // one by one it is 9 times as long, at least
		t.Errorf("1,000 quantiles took %v, sorting %v", took, sorting)
	}
}
