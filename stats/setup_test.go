package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

const (
	minute = 60 * 1_000_000
	hour   = 60 * minute
	day    = 24 * hour
)

// bucketOf collects all there is to collect of readings of one series, in a bucket that holds them all.
func bucketOf(rs []reading.Reading, thresholds ...float64) *Bucket {
	b := &Bucket{Series: 1}
	if len(rs) > 0 {
		b.Start, b.End = rs[0].Time, rs[len(rs)-1].Time+1
	}
	b.From, b.To = b.Start, b.End
	b.Summary = Summarize(rs)
	b.Values.AddValues(rs)
	JoinLines([]Line{NewLine(rs, thresholds)}, []int64{b.Start, b.End}, thresholds, func(_ int, t LineTotal) { b.Line.Merge(t) })
	return b
}

// at makes readings of pairs of a time in minutes and a value.
func at(pairs ...float64) []reading.Reading {
	rs := make([]reading.Reading, len(pairs)/2)
	for i := range rs {
		rs[i] = reading.Reading{Series: 1, Time: int64(pairs[2*i] * minute), Value: pairs[2*i+1]}
	}
	return rs
}

// anyLine draws readings of one series, from days on, with gaps of seconds to days.
func anyLine(least int) *rapid.Generator[[]reading.Reading] {
	return rapid.Custom(func(t *rapid.T) []reading.Reading {
		values := anySeries(least).Draw(t, "readings")
		now := rapid.Int64Range(0, 3*day).Draw(t, "from")
		for i := range values {
			values[i].Time = now
			longest := rapid.SampledFrom([]int64{minute, hour, 30 * hour}).Draw(t, "pace")
			now += rapid.Int64Range(1, longest).Draw(t, "step")
		}
		return values
	})
}

// every lists all statistics.
func every() map[string]Statistic {
	all := map[string]Statistic{
		"quantile 0": Quantile(0), "quantile 0.3": Quantile(0.3), "quantile 1": Quantile(1), "distinct": Distinct("room"),
		"above": Above(5), "below": Below(5), "completeness": Completeness(Period{Time: 1e9}, nil),
	}
	for _, p := range plain {
		all[p.name] = p.of
	}
	return all
}

// shapes are data of the kinds that sketches are made for, and not.
func shapes(n int) map[string][]reading.Reading {
	rnd := rand.New(rand.NewPCG(3, 4))
	all := map[string][]reading.Reading{
		"gauge":      noise(n, 20, 2),
		"constant":   distinct(n, 1),
		"few values": distinct(n, 100),
		"negative":   noise(n, -300, 20),
		"both signs": noise(n, 0, 10),
		"with zeros": append(noise(n-n/4, 0, 1), series(make([]float64, n/4)...)...),
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Exp(2 * rnd.NormFloat64())
	}
	all["log-normal"] = series(values...)
	return all
}

// wants checks a statistic of a bucket; want NaN is nothing.
func wants(t *testing.T, b *Bucket, name string, of Statistic, want float64) {
	t.Helper()
	got, ok := of(b)
	switch {
	case ok == math.IsNaN(want), ok && math.Abs(got-want) > 1e-9*max(math.Abs(want), 1e-9), !ok && got != 0:
		t.Errorf("%s is %v, %v, want %v", name, got, ok, want)
	}
}
