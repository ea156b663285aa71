package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
)

const decodeSeries = 10

// runDecode reads whole series from their chunks span by span, as exports do, fetching included, in one goroutine and
// without a cache, and reads the same readings from a table of rows in the order of their primary key. It takes the time
// that passes, in which PostgreSQL works too, and the processor time of this process alone.
func runDecode(ctx context.Context, quick bool) (r result, err error) {
	perSeries, rounds := 1_000_000, 10
	if quick {
		perSeries = 200_000
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
		if _, err := e.bytesOf(ctx, packedTables...); err != nil { // vacuum and analyse
			return err
		}
		reader := e.reader(-1)
		sample, err := reader.Range(ctx, e.project, firstSeries, 0, math.MaxInt64)
		if err != nil {
			return err
		}
		theirs, err := e.readRows(ctx, sample, 3)
		if err != nil {
			return err
		}
		ours, spent, err := e.decodeRounds(ctx, reader, perSeries, rounds)
		if err != nil {
			return err
		}
		wall, cpu := float64(n)/median(ours).Seconds(), float64(n*rounds)/spent.Seconds()
		reference := float64(len(sample)) / median(theirs).Seconds()
		r.header = []string{"", "readings/s", "readings/s of own processor time"}
		r.rows = [][]string{
			{"chunks, fetched and decoded", fmt.Sprintf("%.0f", wall), fmt.Sprintf("%.0f", cpu)},
			{"rows", fmt.Sprintf("%.0f", reference), ""},
		}
		r.ratio = wall / reference
		r.keys = []string{
			fmt.Sprintf("readings_per_s=%.0f", wall), fmt.Sprintf("readings_per_cpu_s=%.0f", cpu), fmt.Sprintf("rows_per_s=%.0f", reference),
		}
		return nil
	})
	return r, err
}

// decodeSpan is how many readings are decoded at a time: as many as exports do.
const decodeSpan = 200_000

// decodeRounds returns how long each round took, and the processor time of all.
func (e *engine) decodeRounds(ctx context.Context, reader *history.Reader, perSeries, rounds int) (took []time.Duration, spent time.Duration, err error) {
	if err := e.decodeAll(ctx, reader, perSeries); err != nil { // the first plans
		return nil, 0, err
	}
	before, err := ownCPU()
	if err != nil {
		return nil, 0, err
	}
	for range rounds {
		d, err := timed(1, func() error { return e.decodeAll(ctx, reader, perSeries) })
		if err != nil {
			return nil, 0, err
		}
		took = append(took, d)
	}
	after, err := ownCPU()
	return took, after - before, err
}

// decodeAll reads each of the series.
func (e *engine) decodeAll(ctx context.Context, reader *history.Reader, perSeries int) error {
	for i := range decodeSeries {
		n := 0
		for span, err := range reader.Spans(ctx, e.project, []int64{firstSeries + int64(i)}, 0, math.MaxInt64, decodeSpan) {
			if err != nil {
				return err
			}
			n += len(span.Series[0])
		}
		if n != perSeries {
			return fmt.Errorf("%d readings instead of %d", n, perSeries)
		}
	}
	return nil
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
