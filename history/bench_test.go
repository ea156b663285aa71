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
	b.Run("spans", func(b *testing.B) {
		p := start(b, pool, none)
		b.ReportAllocs()
		for b.Loop() {
			got := 0
			for span, err := range p.reader.Spans(b.Context(), project, []int64{1}, 0, math.MaxInt64, 200_000) {
				if err != nil {
					b.Fatal(err)
				}
				got += len(span.Series[0])
			}
			if got != n {
				b.Fatalf("got %d readings, want %d", got, n)
			}
		}
		b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "M/s")
	})
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

// BenchmarkYear reads 50,000 readings of a year: 59 chunks in 12 partitions.
func BenchmarkYear(b *testing.B) {
	const n = 50_000
	pool := database(b)
	project := newProject(b, pool)
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	next := first.AddDate(1, 0, 0)
	if err := store.MakePackPartitions(b.Context(), pool, first, next); err != nil {
		b.Fatal(err)
	}
	for s := range int64(20) {
		rs := gauge(s, n)
		for i := range rs {
			rs[i].Time = first.UnixMicro() + int64(i)*(next.Sub(first)/n).Microseconds()
		}
		for len(rs) > 0 {
			month := time.UnixMicro(rs[0].Time).UTC().Month()
			k := 1
			for ; k < min(len(rs), 1000) && time.UnixMicro(rs[k].Time).UTC().Month() == month; k++ {
			}
			putChunk(b, pool, project, rs[:k]...)
			rs = rs[k:]
		}
	}
	setPacked(b, pool, project, 1)
	exec(b, pool, `vacuum analyze chunk`)
	read := func(b *testing.B, cfg history.Config) {
		p := start(b, pool, cfg)
		b.ReportAllocs()
		for b.Loop() {
			got := 0
			for span, err := range p.reader.Spans(b.Context(), project, []int64{1}, first.UnixMicro(), next.UnixMicro(), 2*n) {
				if err != nil {
					b.Fatal(err)
				}
				got += len(span.Series[0])
			}
			if got != n {
				b.Fatalf("got %d readings, want %d", got, n)
			}
		}
	}
	b.Run("fetched", func(b *testing.B) { read(b, history.Config{CacheBytes: -1}) })
	b.Run("cached", func(b *testing.B) { read(b, history.Config{}) })
}
