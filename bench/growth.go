package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/readout-dev/readout/history"
)

const (
	growthSeries = 100 // so that a million readings are more than a day
	growthEntry  = 200 // steps in an entry: 20,000 readings
)

// What is done in each round with each database.
const (
	growthAppends = 4
	growthPoints  = 40
	growthDays    = 10
)

// runGrowth takes the cost of the same work with little and with much stored: appending, reading one reading, and reading
// a day of a series. Each size is a database of its own, and the rounds go from one to the next, so that what disturbs the
// machine disturbs all. The ratio is the cheapest to the dearest of the kind of work that differs most.
func runGrowth(ctx context.Context, quick bool) (r result, err error) {
	sizes, rounds := []int{1_000_000, 10_000_000, 100_000_000}, 50
	if quick {
		sizes, rounds = []int{1_000_000, 3_000_000, 10_000_000}, 30
	}
	err = onEngine(ctx, func(e *engine) error {
		all := make([]*grown, len(sizes))
		for i, size := range sizes {
			g, err := e.grow(ctx, size)
			if err != nil {
				return err
			}
			defer g.pool.Close()
			all[i] = g
		}
		if _, err := e.pool.Exec(ctx, `checkpoint`); err != nil { // of what was filled in, so that none comes soon
			return err
		}
		for round := range rounds + 1 {
			for i := range all {
				if err := all[(i+round)%len(all)].measure(ctx); err != nil {
					return err
				}
			}
			if round == 0 { // the first loads and plans
				for _, g := range all {
					g.append, g.point, g.day = nil, nil, nil
				}
			}
		}
		r = compareGrown(all)
		return nil
	})
	return r, err
}

// grown is a database with so many readings, and what work with it took.
type grown struct {
	*engine
	size, steps        int
	fleet              *fleet
	reader             *history.Reader
	random             *rand.Rand
	append, point, day []time.Duration
}

// grow fills a new database.
func (e *engine) grow(ctx context.Context, size int) (*grown, error) {
	other, err := e.beside(ctx, fmt.Sprintf("grown_%d", size))
	if err != nil {
		return nil, err
	}
	g := &grown{
		engine: other, size: size, steps: size / growthSeries,
		fleet: newFleet(growthSeries, 10*time.Second, false), reader: other.reader(-1), random: rand.New(rand.NewPCG(3, 4)),
	}
	if err := g.fillUp(ctx); err != nil {
		g.pool.Close()
		return nil, err
	}
	return g, nil
}

// fillUp appends, packs and settles all, and leaves nothing for autovacuum to do.
func (g *grown) fillUp(ctx context.Context) error {
	p := g.packer(nil)
	if _, err := g.fill(ctx, p, g.fleet, g.steps, growthEntry, 50); err != nil {
		return err
	}
	if err := g.settle(ctx, p); err != nil {
		return err
	}
	_, err := g.pool.Exec(ctx, `vacuum (analyze)`)
	return err
}

// measure does a little of each kind of work. What it appends is not packed, and nothing reads it.
func (g *grown) measure(ctx context.Context) error {
	for range growthAppends {
		d, err := timed(1, func() error { return g.appendSteps(ctx, g.fleet, growthEntry) })
		if err != nil {
			return err
		}
		g.append = append(g.append, d)
	}
	if err := g.readSome(ctx, &g.point, growthPoints, 1); err != nil {
		return err
	}
	return g.readSome(ctx, &g.day, growthDays, 8640)
}

// readSome reads a number of steps of a random series from a random one on, times over.
func (g *grown) readSome(ctx context.Context, took *[]time.Duration, times, steps int) error {
	every := g.fleet.every.Microseconds()
	for range times {
		series := firstSeries + g.random.Int64N(growthSeries)
		at := start.UnixMicro() + g.random.Int64N(int64(g.steps-steps+1))*every
		t := time.Now()
		rs, err := g.reader.Range(ctx, g.project, series, at, at+int64(steps)*every)
		if err != nil {
			return err
		}
		*took = append(*took, time.Since(t))
		if len(rs) != steps {
			return fmt.Errorf("%d readings instead of %d", len(rs), steps)
		}
	}
	return nil
}

// compareGrown compares the medians of all sizes.
func compareGrown(all []*grown) (r result) {
	r.header = []string{"stored readings", "append readings/s", "point read ms", "24 h read ms"}
	for _, g := range all {
		r.rows = append(r.rows, []string{
			fmt.Sprint(g.size), rate(growthEntry*growthSeries, median(g.append)),
			fmt.Sprintf("%.3f", ms(median(g.point))), fmt.Sprintf("%.3f", ms(median(g.day))),
		})
	}
	worst := 1.0
	for _, work := range []struct {
		name string
		took func(*grown) []time.Duration
	}{
		{"append", func(g *grown) []time.Duration { return g.append }},
		{"point", func(g *grown) []time.Duration { return g.point }},
		{"day", func(g *grown) []time.Duration { return g.day }},
	} {
		low, high := median(work.took(all[0])), median(work.took(all[0]))
		for _, g := range all {
			low, high = min(low, median(work.took(g))), max(high, median(work.took(g)))
		}
		spread := float64(high) / float64(low)
		worst = max(worst, spread)
		r.keys = append(r.keys, fmt.Sprintf("%s=%.2f", work.name, spread))
	}
	r.ratio = 1 / worst
	return r
}
