package pack_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// BenchmarkPack measures packing entries that hold 60 readings of each of 1,000 series, from the journal to committed young
// rows; the second figure counts the time of this process's processor alone.
func BenchmarkPack(b *testing.B) {
	const series, points, minutes = 1000, 60, 24
	var took, cpu time.Duration
	s := setup(b, pack.Config{})
	for b.Loop() {
		for m := range minutes {
			s.append(gauges(series, points, "2026-01-01 00:00:00", int64(m)*60*1e6, time.Second)...)
		}
		began, used := time.Now(), cpuTime(b)
		s.pack()
		took += time.Since(began)
		cpu += cpuTime(b) - used
	}
	report(b, float64(series*points*minutes*b.N), took, cpu)
}

// BenchmarkSettle measures settling a day of 1,000 series with a reading every 10 s, from 144 runs to chunks and rollups.
func BenchmarkSettle(b *testing.B) {
	for _, each := range []struct {
		name    string
		series  int
		apart   time.Duration
		entries int
	}{{"10s", 1000, 10 * time.Second, 144}, {"1s", 100, time.Second, 144}, {"10min", 20000, 10 * time.Minute, 48}} {
		b.Run(each.name, func(b *testing.B) {
			points := int(24 * time.Hour / each.apart / time.Duration(each.entries))
			var took, cpu time.Duration
			s := setup(b, pack.Config{Sizes: pack.Sizes{Runs: 1000}})
			for day := 1; b.Loop(); day++ {
				from := time.UnixMicro(at("2026-01-01 00:00:00")).UTC().AddDate(0, 0, day).Format(time.DateTime)
				for e := range each.entries {
					s.append(gauges(each.series, points, from, int64(e)*int64(points)*each.apart.Microseconds(), each.apart)...)
					if e%4 == 3 {
						s.pack()
					}
				}
				began, used := time.Now(), cpuTime(b)
				s.settle(clock("2026-12-31 00:00:00"))
				took += time.Since(began)
				cpu += cpuTime(b) - used
			}
			report(b, float64(each.series*points*each.entries*b.N), took, cpu)
		})
	}
}

func report(b *testing.B, readings float64, took, cpu time.Duration) {
	b.ReportMetric(readings/took.Seconds()/1e6, "M/s")
	b.ReportMetric(readings/cpu.Seconds()/1e6, "M/cpu-s")
	b.ReportMetric(0, "ns/op")
}

// gauges returns readings of slowly moving gauges with two decimals.
func gauges(series, points int, from string, plus int64, apart time.Duration) (rs []reading.Reading) {
	start := at(from) + plus
	for i := range series {
		rng := rand.New(rand.NewPCG(uint64(i), uint64(plus)))
		v := 20.0 + float64(i%50)
		for j := range points {
			v += rng.NormFloat64() * 0.1
			rs = append(rs, reading.Reading{
				Series: int64(1<<20 + i), Time: start + int64(j)*apart.Microseconds(), Value: math.Round(v*100) / 100,
			})
		}
	}
	return rs
}

// cpuTime returns how long this process has used a processor.
func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(fmt.Errorf("read the processor's time: %w", err))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
