package history_test

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

// BenchmarkMinMax thins a million readings of one series, in chunks of 1,000, to 1,000 points: as stats.MinMax of Range, and as
// they are decoded. cpu-ms is the processor time of this process: that of the database comes on top, and is the same.
func BenchmarkMinMax(b *testing.B) {
	const n, points = 1_000_000, 1000
	pool := database(b)
	project := newProject(b, pool)
	first := time.UnixMicro(base).UTC()
	if err := store.MakePackPartitions(b.Context(), pool, first, first.AddDate(0, 6, 0)); err != nil {
		b.Fatal(err)
	}
	rs := gauge(1, n)
	for i := 0; i < n; i += 1000 {
		putChunk(b, pool, project, rs[i:i+1000]...)
	}
	setPacked(b, pool, project, 1)
	exec(b, pool, `vacuum analyze chunk`)
	none, all := history.Config{CacheBytes: -1}, history.Config{CacheBytes: 1 << 30}
	run := func(name string, cfg history.Config, thin func(r *history.Reader) ([]reading.Reading, error)) {
		b.Run(name, func(b *testing.B) {
			p := start(b, pool, cfg)
			if _, err := thin(p.reader); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if got, err := thin(p.reader); err != nil || len(got) < points/2 {
					b.Fatalf("%d points, %v", len(got), err)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms")
		})
	}
	ranged := func(r *history.Reader) ([]reading.Reading, error) {
		rs, err := r.Range(b.Context(), project, 1, 0, math.MaxInt64)
		return stats.MinMax(rs, points), err
	}
	thinned := func(r *history.Reader) ([]reading.Reading, error) {
		return r.MinMax(b.Context(), project, 1, 0, math.MaxInt64, points)
	}
	run("range", none, ranged)
	run("thinned", none, thinned)
	run("range-cached", all, ranged)
	run("thinned-cached", all, thinned)
	run("thinned-cut", none, func(r *history.Reader) ([]reading.Reading, error) {
		return r.MinMax(b.Context(), project, 1, rs[1500].Time, rs[n-1500].Time, points)
	})
}

// cpu returns the processor time of this process until now.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
