package history_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// gauge returns n readings of a series, one in 10 s, with two decimals.
func gauge(series int64, n int) []reading.Reading {
	rng := rand.New(rand.NewPCG(1, uint64(series)))
	rs, value := make([]reading.Reading, n), 2000
	for i := range rs {
		value += rng.IntN(21) - 10
		rs[i] = reading.Reading{Series: series, Time: base + int64(i)*10*second, Value: float64(value) / 100}
	}
	return rs
}

// BenchmarkRange reads a million readings of one series in chunks of 1,000: fetched and decoded each time, or decoded
// before. The third is what of it is decoding alone.
func BenchmarkRange(b *testing.B) {
	const n = 1_000_000
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
	read := func(b *testing.B, cfg history.Config, from, to int64, want int) {
		p := start(b, pool, cfg)
		p.mustRange(b, project, 1, from, to)
		b.ReportAllocs()
		for b.Loop() {
			if got := p.mustRange(b, project, 1, from, to); len(got) != want {
				b.Fatalf("got %d readings, want %d", len(got), want)
			}
		}
		b.ReportMetric(float64(b.N)*float64(want)/b.Elapsed().Seconds()/1e6, "M/s")
	}
	none, some := history.Config{CacheBytes: -1}, history.Config{}
	b.Run("fetched", func(b *testing.B) { read(b, none, 0, math.MaxInt64, n) })
	b.Run("day", func(b *testing.B) { read(b, none, base+60*day, base+61*day, 8640) })
	b.Run("day-cached", func(b *testing.B) { read(b, some, base+60*day, base+61*day, 8640) })
	b.Run("point", func(b *testing.B) { read(b, none, base+60*day, base+60*day+1, 1) })
	b.Run("point-cached", func(b *testing.B) { read(b, some, base+60*day, base+60*day+1, 1) })
	b.Run("decoding", func(b *testing.B) {
		rows := make([][]byte, 0, n/1000)
		for i := 0; i < n; i += 1000 {
			rows = append(rows, reading.Compact(nil, rs[i:i+1000]))
		}
		for b.Loop() {
			all := make([]reading.Reading, 0, n)
			for _, row := range rows {
				all, _ = reading.Decode(all, row)
			}
		}
		b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "M/s")
	})
}
