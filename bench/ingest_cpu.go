package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

// runIngestCPU compares what PostgreSQL works for a reading: sent over HTTP, and inserted with the key that makes sending
// it twice safe, which is what a program without a journal does. In batches of the same size.
func runIngestCPU(ctx context.Context, quick bool) (r result, err error) {
	rounds, each := 3, 8*time.Second
	if quick {
		rounds, each = 2, 4*time.Second
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	conn, err := b.postgres(ctx)
	if err != nil {
		return r, err
	}
	defer conn.Close(ctx)
	r.header = []string{"round", "HTTP: CPU µs a reading", "INSERT: CPU µs a reading"}
	var ours, theirs []time.Duration // for a million readings
	for round := range rounds {
		before, err := postgresCPU(b.database)
		if err != nil {
			return r, err
		}
		sent, err := sendFor(ctx, b, round, each)
		if err != nil {
			return r, err
		}
		between, err := postgresCPU(b.database)
		if err != nil {
			return r, err
		}
		inserted, err := insertFor(ctx, conn, each)
		if err != nil {
			return r, err
		}
		after, err := postgresCPU(b.database)
		if err != nil {
			return r, err
		}
		a, c := perMillion(between-before, sent.readings), perMillion(after-between, inserted)
		ours, theirs = append(ours, a), append(theirs, c)
		r.rows = append(r.rows, []string{fmt.Sprint(round + 1), perReading(a), perReading(c)})
	}
	r.ratio = float64(median(theirs)) / float64(median(ours))
	r.keys = []string{"cpu_us=" + perReading(median(ours)), "insert_cpu_us=" + perReading(median(theirs))}
	return r, nil
}

func perMillion(d time.Duration, readings int) time.Duration {
	return time.Duration(float64(d) * 1e6 / float64(readings))
}

func perReading(million time.Duration) string { return fmt.Sprintf("%.4f", million.Seconds()) }

// insertFor inserts the readings of the same series in the same order for a while and returns how many.
func insertFor(ctx context.Context, conn *pgx.Conn, d time.Duration) (n int, err error) {
	t, err := newTable(ctx, conn)
	if err != nil {
		return 0, err
	}
	rs := make([]reading.Reading, ingestSeries)
	for began := time.Now(); time.Since(began) < d; n += len(rs) {
		for i := range rs {
			rs[i] = reading.Reading{Series: int64(i), Time: start.UnixMicro() + int64(n/len(rs))*10_000, Value: gauge(n/len(rs) + i)}
		}
		if err := insertReadings(ctx, conn, rs); err != nil {
			return 0, err
		}
	}
	return n, t.drop(ctx)
}
