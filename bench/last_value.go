package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

const lastSeries = 10_000

// runLastValue asks for the newest reading of each of 10,000 series, and probes the key of rows for them.
func runLastValue(ctx context.Context, quick bool) (r result, err error) {
	steps, rounds := 100, 30
	if quick {
		steps, rounds = 30, 10
	}
	err = onEngine(ctx, func(e *engine) error {
		f := newFleet(lastSeries, time.Minute, false)
		if _, err := e.fill(ctx, e.packer(nil), f, steps, 2, 10); err != nil {
			return err
		}
		conn, err := e.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if err := loadLast(ctx, conn.Conn(), steps); err != nil {
			return err
		}
		series := make([]int64, lastSeries)
		for i := range series {
			series[i] = firstSeries + int64(i)
		}
		reader := e.reader(0)
		var ours, theirs []time.Duration
		for round := range rounds + 1 {
			t := time.Now()
			got, err := reader.Latest(ctx, e.project, series)
			if err != nil {
				return err
			}
			a := time.Since(t)
			t = time.Now()
			want, err := probe(ctx, conn.Conn(), series)
			if err != nil {
				return err
			}
			b := time.Since(t)
			if err := sameReadings(got, want); err != nil {
				return err
			}
			if round > 0 { // the first loads and plans
				ours, theirs = append(ours, a), append(theirs, b)
			}
		}
		r.header = []string{"", "p50 ms", "p99 ms"}
		r.rows = [][]string{
			{"history.Latest", fmt.Sprintf("%.3f", ms(quantile(ours, 0.5))), fmt.Sprintf("%.3f", ms(quantile(ours, 0.99)))},
			{"LATERAL probe", fmt.Sprintf("%.3f", ms(quantile(theirs, 0.5))), fmt.Sprintf("%.3f", ms(quantile(theirs, 0.99)))},
		}
		r.ratio = float64(median(theirs)) / float64(median(ours))
		r.keys = []string{fmt.Sprintf("ms=%.3f", ms(median(ours))), fmt.Sprintf("probe_ms=%.1f", ms(median(theirs)))}
		return nil
	})
	return r, err
}

// loadLast loads what the engine has into the reference, in the order in which it came.
func loadLast(ctx context.Context, conn *pgx.Conn, steps int) error {
	t, err := newTable(ctx, conn)
	if err != nil {
		return err
	}
	f := newFleet(lastSeries, time.Minute, false) // makes the same readings again
	var rs []reading.Reading
	for range steps {
		rs = f.step(rs[:0])
		if err := t.copy(ctx, rs); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, `vacuum analyze bench_reading`)
	return err
}

func probe(ctx context.Context, conn *pgx.Conn, series []int64) ([]reading.Reading, error) {
	rows, err := conn.Query(ctx, `
		select s, last.time, last.value
		from unnest($1::bigint[]) s cross join lateral (
			select time, value from bench_reading where series = s order by time desc limit 1
		) last order by s`, series)
	if err != nil {
		return nil, err
	}
	rs := make([]reading.Reading, 0, len(series))
	var r reading.Reading
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&r.Series, &at, &r.Value}, func() error {
		r.Time = at.UnixMicro()
		rs = append(rs, r)
		return nil
	})
	return rs, err
}

func sameReadings(got, want []reading.Reading) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d readings, and %d rows", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("the newest is %+v, and of the rows %+v", got[i], want[i])
		}
	}
	return nil
}
