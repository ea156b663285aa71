package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/readout-dev/readout/history"
)

const growthSeries = 100 // so that a million readings are more than a day

// runGrowth takes the cost of the same work with ever more readings stored: appending, reading one reading, and reading a
// day of a series. The ratio is the worst of them with little stored, to the same with much, or the other way round.
func runGrowth(ctx context.Context, quick bool) (r result, err error) {
	sizes := []int{1_000_000, 10_000_000, 100_000_000}
	if quick {
		sizes = []int{1_000_000, 3_000_000, 10_000_000}
	}
	var costs []growthCost
	r.header = []string{"stored readings", "append readings/s", "point read ms", "24 h read ms"}
	err = onEngine(ctx, func(e *engine) error {
		g := &growing{engine: e, fleet: newFleet(growthSeries, 10*time.Second, false), reader: e.reader(-1)}
		for _, size := range sizes {
			if err := g.growTo(ctx, size); err != nil {
				return err
			}
			c, err := g.measure(ctx)
			if err != nil {
				return err
			}
			costs = append(costs, c)
			r.rows = append(r.rows, []string{
				fmt.Sprint(size), rate(growthEntry*growthSeries, c.append), fmt.Sprintf("%.3f", ms(c.point)), fmt.Sprintf("%.3f", ms(c.day)),
			})
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	appending, point, day := spread(costs, func(c growthCost) time.Duration { return c.append }),
		spread(costs, func(c growthCost) time.Duration { return c.point }), spread(costs, func(c growthCost) time.Duration { return c.day })
	r.ratio = 1 / max(appending, point, day)
	r.keys = []string{fmt.Sprintf("append=%.2f", appending), fmt.Sprintf("point=%.2f", point), fmt.Sprintf("day=%.2f", day)}
	return r, nil
}

// growthCost is what the same work costs at one size: the appending of an entry, and one read of each kind.
type growthCost struct{ append, point, day time.Duration }

// spread is how many times the dearest is as dear as the cheapest.
func spread(costs []growthCost, of func(growthCost) time.Duration) float64 {
	low, high := of(costs[0]), of(costs[0])
	for _, c := range costs {
		low, high = min(low, of(c)), max(high, of(c))
	}
	return float64(high) / float64(low)
}

// growing is an engine that is given more and more readings.
type growing struct {
	*engine
	fleet  *fleet
	reader *history.Reader
	stored int
}

const (
	growthAppends = 2_000_000
	growthEntry   = 200 // steps in an entry: 20,000 readings
)

// growTo appends, packs and settles until so many readings are stored.
func (g *growing) growTo(ctx context.Context, size int) error {
	p := g.packer(nil)
	n, err := g.fill(ctx, p, g.fleet, (size-g.stored)/growthSeries, growthEntry, 50)
	if err != nil {
		return err
	}
	g.stored += n
	if err := g.settle(ctx, p); err != nil {
		return err
	}
	_, err = g.bytesOf(ctx, packedTables...) // vacuum and analyse
	return err
}

// measure takes medians; the readings that it appends are packed afterwards and count as stored.
func (g *growing) measure(ctx context.Context) (c growthCost, err error) {
	random := rand.New(rand.NewPCG(3, 4))
	const points, days = 500, 300
	steps := g.fleet.steps
	if c.point, err = g.readSome(ctx, points, 1, func() int64 { return random.Int64N(int64(steps)) }); err != nil {
		return c, err
	}
	if c.day, err = g.readSome(ctx, days, 8640, func() int64 { return random.Int64N(int64(steps - 8640 + 1)) }); err != nil {
		return c, err
	}
	var took []time.Duration
	for n := 0; n < growthAppends; n += growthEntry * growthSeries {
		d, err := timed(1, func() error { return g.appendSteps(ctx, g.fleet, growthEntry) })
		if err != nil {
			return c, err
		}
		took = append(took, d)
	}
	c.append = median(took)
	g.stored += growthAppends
	p := g.packer(nil)
	if err := p.Pack(ctx, g.project); err != nil {
		return c, err
	}
	return c, g.settle(ctx, p)
}

// readSome reads a number of steps of a random series from a random one on, times over, and returns the median time.
func (g *growing) readSome(ctx context.Context, times, steps int, from func() int64) (time.Duration, error) {
	every := g.fleet.every.Microseconds()
	var took []time.Duration
	for i := range times {
		series, at := firstSeries+int64(i*37%growthSeries), start.UnixMicro()+from()*every
		t := time.Now()
		rs, err := g.reader.Range(ctx, g.project, series, at, at+int64(steps)*every)
		if err != nil {
			return 0, err
		}
		took = append(took, time.Since(t))
		if len(rs) != steps {
			return 0, fmt.Errorf("%d readings instead of %d", len(rs), steps)
		}
	}
	return median(took), nil
}
