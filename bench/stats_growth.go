package main

import (
	"context"
	"fmt"
	"time"

	"github.com/readout-dev/readout/pack"
)

// statsGrowth draws the chart of statsYear with a tenth of the series stored, in a database of its own, and with all of
// them, by turns. The ratio is the cheaper to the dearer.
func statsGrowth(ctx context.Context, l *statsLoad) (r result, err error) {
	tenth, err := l.e.beside(ctx, "stats_tenth")
	if err != nil {
		return r, err
	}
	defer tenth.pool.Close()
	if err := tenth.fillYear(ctx, l.series/10, func(context.Context, *pack.Packer) error { return nil }); err != nil {
		return r, err
	}
	sizes := []struct {
		series int
		asked  *asker
		took   []time.Duration
	}{{l.series / 10, newAsker(tenth, tenth.reader(-1)), nil}, {l.series, l.uncached, nil}}
	for round := range 100 + 1 {
		q := l.chart(round)
		q.groups[0][0] = firstSeries + int64(round%sizes[0].series)
		for i := range sizes {
			s := &sizes[(i+round)%len(sizes)]
			begin := time.Now()
			cells, err := s.asked.ask(ctx, q)
			if err != nil {
				return r, err
			}
			if round > 0 { // the first loads and plans
				s.took = append(s.took, time.Since(begin))
			}
			if len(cells) != chartBuckets {
				return r, fmt.Errorf("%d buckets instead of %d", len(cells), chartBuckets)
			}
		}
	}
	r.header = []string{"stored readings", "p50 ms", "p99 ms"}
	for _, s := range sizes {
		r.rows = append(r.rows, []string{
			fmt.Sprint(s.series * statsPoints), fmt.Sprintf("%.2f", ms(median(s.took))), fmt.Sprintf("%.2f", ms(quantile(s.took, 0.99))),
		})
	}
	little, much := median(sizes[0].took), median(sizes[1].took)
	r.ratio = float64(min(little, much)) / float64(max(little, much))
	r.keys = []string{fmt.Sprintf("dearer=%.2f", 1/r.ratio), fmt.Sprintf("tenth_ms=%.2f", ms(little)), fmt.Sprintf("ms=%.2f", ms(much))}
	return r, nil
}
