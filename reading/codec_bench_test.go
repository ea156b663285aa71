package reading

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// gauges makes n readings of two decimals over the given number of series, ten seconds apart with a little jitter, each
// series a random walk: what a fleet of thermometers sends.
func gauges(n, series int) []Reading {
	rnd := rand.New(rand.NewPCG(1, 2))
	rs := make([]Reading, 0, n)
	for s := range series {
		value, t := 20+rnd.Float64()*5, int64(1_763_719_200_000_000)
		for range n / series {
			value += rnd.NormFloat64() * 0.2
			t += 10_000_000 + int64(rnd.IntN(20))*1000
			rs = append(rs, Reading{Series: int64(1000 + s), Time: t, Value: math.Round(value*100) / 100})
		}
	}
	return rs
}

var benchShapes = []struct{ readings, series int }{{1000, 10}, {1000, 100}, {1000, 1000}, {20_000, 100}, {100_000, 100_000}}

func BenchmarkEncode(b *testing.B) {
	for _, c := range benchShapes {
		b.Run(fmt.Sprintf("%d of %d series", c.readings, c.series), func(b *testing.B) {
			rs := gauges(c.readings, c.series)
			dst := Encode(nil, rs)
			b.ReportAllocs()
			for b.Loop() {
				dst = Encode(dst[:0], rs)
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
			b.ReportMetric(float64(len(dst))/float64(len(rs)), "B/reading")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range benchShapes {
		b.Run(fmt.Sprintf("%d of %d series", c.readings, c.series), func(b *testing.B) {
			rs := gauges(c.readings, c.series)
			src := Encode(nil, rs)
			var err error
			b.ReportAllocs()
			for b.Loop() {
				if rs, err = Decode(rs[:0], src); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}
