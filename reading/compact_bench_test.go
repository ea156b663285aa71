package reading

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// fleet makes readings of neighbouring series, each with a beat of its own and values of two decimals.
type fleet struct {
	series, each int
	every        time.Duration
	phase        time.Duration // a series' first reading comes up to this late, in whole milliseconds
	jitter       time.Duration // each reading comes up to this early or late, in whole milliseconds
	memory       float64       // of the value, from one reading to the next: 1 is a random walk, 0 none
}

func (f fleet) readings() []Reading {
	rnd := rand.New(rand.NewPCG(1, 2))
	upTo := func(d time.Duration) int64 {
		if d < time.Millisecond {
			return 0
		}
		return 1000 * rnd.Int64N(d.Milliseconds())
	}
	rs := make([]Reading, 0, f.series*f.each)
	for s := range f.series {
		first := 1_763_719_200_000_000 + upTo(f.phase)
		mean := 20 + 5*rnd.Float64()
		value := mean
		for i := range f.each {
			at := first + int64(i)*f.every.Microseconds() + upTo(2*f.jitter) - f.jitter.Microseconds()
			value = mean + f.memory*(value-mean) + 0.2*rnd.NormFloat64()
			rs = append(rs, Reading{Series: int64(5000 + s), Time: at, Value: math.Round(value*100) / 100})
		}
	}
	return rs
}

// restShapes are what lies in databases: chunks of one series, segments of many.
var restShapes = []struct {
	name  string
	fleet fleet
	piece int     // readings compacted at once
	most  float64 // bytes a reading
}{
	{"gauge", fleet{1, 100_000, 10 * time.Second, 0, 0, 1}, 1000, 0.93},
	{"gauge without memory", fleet{1, 100_000, 10 * time.Second, 0, 0, 0}, 1000, 0.93},
	{"gauge with jitter", fleet{1, 100_000, 10 * time.Second, 0, 50 * time.Millisecond, 1}, 1000, 1.92},
	{"60 readings of each series", fleet{1000, 60, 10 * time.Second, 10 * time.Second, 0, 1}, 4000, 0.90},
	{"slow fleet, a minute", fleet{100, 1, 10 * time.Minute, time.Minute, 0, 1}, 4000, 4.3},
	{"slow fleet, 10 minutes", fleet{1000, 1, 10 * time.Minute, 10 * time.Minute, 0, 1}, 4000, 3.9},
	{"slow fleet, 2 hours", fleet{1000, 12, 10 * time.Minute, 10 * time.Minute, 0, 1}, 4000, 1.15},
	{"slow fleet, a day", fleet{1000, 144, 10 * time.Minute, 10 * time.Minute, 0, 1}, 4000, 0.90},
	{"slow fleet with jitter, 2 hours", fleet{1000, 12, 10 * time.Minute, 10 * time.Minute, time.Second, 1}, 4000, 2.6},
	{"slow fleet with jitter, a day", fleet{1000, 144, 10 * time.Minute, 10 * time.Minute, time.Second, 1}, 4000, 2.5},
	{"slow fleet without a beat, 2 hours", fleet{1000, 12, 10 * time.Minute, 0, 5 * time.Minute, 1}, 4000, 3.6},
}

func BenchmarkCompact(b *testing.B) {
	for _, shape := range restShapes {
		b.Run(shape.name, func(b *testing.B) {
			rs := shape.fleet.readings()
			var dst []byte
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				size = 0
				for piece := range slices.Chunk(rs, shape.piece) {
					dst = Compact(dst[:0], piece)
					size += len(dst)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
			b.ReportMetric(float64(size)/float64(len(rs)), "B/reading")
		})
	}
}

func BenchmarkDecodeCompact(b *testing.B) {
	for _, shape := range restShapes {
		b.Run(shape.name, func(b *testing.B) {
			rs := shape.fleet.readings()
			var pieces [][]byte
			for piece := range slices.Chunk(rs, shape.piece) {
				pieces = append(pieces, Compact(nil, piece))
			}
			var back []Reading
			var err error
			b.ReportAllocs()
			for b.Loop() {
				for _, src := range pieces {
					if back, err = Decode(back[:0], src); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}
