package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

const decodeSeries = 10

// runDecode reads whole series from their chunks, fetching included, in one goroutine and without a cache, and reads the
// same readings from a table of rows with their primary key in order.
func runDecode(ctx context.Context, quick bool) (r result, err error) {
	perSeries, rounds := 1_000_000, 5
	if quick {
		perSeries, rounds = 200_000, 3
	}
	err = onEngine(ctx, func(e *engine) error {
		p := e.packer(nil)
		f := newFleet(decodeSeries, time.Second, false)
		n, err := e.fill(ctx, p, f, perSeries, 2000, 50)
		if err != nil {
			return err
		}
		if err := e.settle(ctx, p); err != nil {
			return err
		}
		reader := e.reader(-1)
		var ours []time.Duration
		var sample []reading.Reading
		for range rounds {
			took, err := timed(1, func() error {
				for i := range decodeSeries {
					rs, err := reader.Range(ctx, e.project, firstSeries+int64(i), 0, math.MaxInt64)
					if err != nil {
						return err
					}
					if len(rs) != perSeries {
						return fmt.Errorf("%d readings instead of %d", len(rs), perSeries)
					}
					sample = rs
				}
				return nil
			})
			if err != nil {
				return err
			}
			ours = append(ours, took)
		}
		theirs, err := e.readRows(ctx, sample, rounds)
		if err != nil {
			return err
		}
		rate, reference := float64(n)/median(ours).Seconds(), float64(len(sample))/median(theirs).Seconds()
		r.header = []string{"", "readings/s"}
		r.rows = [][]string{{"chunks, fetched and decoded", fmt.Sprintf("%.0f", rate)}, {"rows", fmt.Sprintf("%.0f", reference)}}
		r.ratio = rate / reference
		r.keys = []string{fmt.Sprintf("readings_per_s=%.0f", rate), fmt.Sprintf("rows_per_s=%.0f", reference)}
		return nil
	})
	return r, err
}

// readRows loads the readings of one series into the reference and reads them in order, rounds times.
func (e *engine) readRows(ctx context.Context, rs []reading.Reading, rounds int) (took []time.Duration, err error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	t, err := newTable(ctx, conn.Conn())
	if err != nil {
		return nil, err
	}
	if err := t.copy(ctx, rs); err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `vacuum analyze bench_reading`); err != nil {
		return nil, err
	}
	for range rounds {
		d, err := timed(1, func() error {
			rows, err := conn.Query(ctx, `select time, value from bench_reading where series = $1 order by time`, rs[0].Series)
			if err != nil {
				return err
			}
			read := make([]reading.Reading, 0, len(rs))
			var at time.Time
			var value float64
			_, err = pgx.ForEachRow(rows, []any{&at, &value}, func() error {
				read = append(read, reading.Reading{Series: rs[0].Series, Time: at.UnixMicro(), Value: value})
				return nil
			})
			if err == nil && len(read) != len(rs) {
				err = fmt.Errorf("%d rows instead of %d", len(read), len(rs))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return took, t.drop(ctx)
}
