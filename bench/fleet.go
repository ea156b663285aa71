package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/readout-dev/readout/reading"
)

// firstSeries is an id that a series may have: see the ranges of ids in docs/architecture.md. A block of 1,024
// neighbours begins at it.
const firstSeries = 17_179_869_184

// fleet makes the readings of gauges with two decimals: half of them wander (a random walk with steps of 0.05), half
// return to their mean (AR(1), φ = 0.9, noise 0.1).
type fleet struct {
	every  time.Duration
	jitter bool  // each reading comes up to 99 ms late, in whole milliseconds
	start  int64 // µs
	steps  int   // made so far
	random *rand.Rand
	gauges []sensor
}

type sensor struct {
	mean, off float64 // in hundredths
	wanders   bool
}

func newFleet(series int, every time.Duration, jitter bool) *fleet {
	f := &fleet{every: every, jitter: jitter, start: start.UnixMicro(), random: rand.New(rand.NewPCG(1, 2)), gauges: make([]sensor, series)}
	for i := range f.gauges {
		f.gauges[i] = sensor{mean: math.Round(1500 + 1000*f.random.Float64()), wanders: i%2 == 0}
	}
	return f
}

// step appends the next reading of each gauge to dst.
func (f *fleet) step(dst []reading.Reading) []reading.Reading {
	at := f.start + int64(f.steps)*f.every.Microseconds()
	f.steps++
	for i := range f.gauges {
		late := int64(0)
		if f.jitter {
			late = f.random.Int64N(100) * 1000
		}
		dst = append(dst, reading.Reading{Series: firstSeries + int64(i), Time: at + late, Value: f.gauges[i].next(f.random)})
	}
	return dst
}

// one appends the next reading of the gauge i alone, at a time of its own.
func (f *fleet) one(dst []reading.Reading, i int, at int64) []reading.Reading {
	return append(dst, reading.Reading{Series: firstSeries + int64(i), Time: at, Value: f.gauges[i].next(f.random)})
}

func (g *sensor) next(random *rand.Rand) float64 {
	if g.wanders {
		g.off += 5 * random.NormFloat64()
	} else {
		g.off = 0.9*g.off + 10*random.NormFloat64()
	}
	return math.Round(g.mean+g.off) / 100
}
