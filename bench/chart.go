package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

const (
	chartPoints  = 50_000 // of a series in a year: one in 10.5 minutes
	chartBuckets = 500
	chartRows    = 20 // series that the reference has: a query touches one, so more would only take longer to load
	year         = 365 * 24 * time.Hour
)

// chartStart is when a year begins that is over, so that all of it is settled.
var chartStart = start.AddDate(-1, 0, 0)

// bucket is a point of the chart.
type bucket struct {
	n                   int
	min, mean, max, p95 float64
}

// runChartYear draws a year of one series of many in 500 buckets with exact quantiles, from its chunks and from rows in the
// order of their primary key. Both are warm; of Readout, PostgreSQL is, and decoded chunks are not kept.
func runChartYear(ctx context.Context, quick bool) (r result, err error) {
	series, rounds := 1000, 50
	if quick {
		series, rounds = 100, 20
	}
	err = onEngine(ctx, func(e *engine) error {
		every := (year / chartPoints).Truncate(time.Microsecond)
		f := newFleet(series, every, false)
		f.start = chartStart.UnixMicro()
		p := e.packer(nil)
		if _, err := e.fill(ctx, p, f, chartPoints, 20_000/series, 100); err != nil {
			return err
		}
		if err := e.settle(ctx, p); err != nil {
			return err
		}
		if _, err := e.bytesOf(ctx, packedTables...); err != nil { // vacuum and analyse both
			return err
		}
		reader := e.reader(-1)
		rows, err := newChartRows(ctx, e, func(i int) ([]reading.Reading, error) {
			return reader.Range(ctx, e.project, firstSeries+int64(i), 0, math.MaxInt64)
		})
		if err != nil {
			return err
		}
		defer rows.release()
		var ours, theirs []time.Duration
		for round := range rounds { // by turns, so that what disturbs the machine disturbs both
			i := round % chartRows
			t := time.Now()
			rs, err := reader.Range(ctx, e.project, firstSeries+int64(i), chartStart.UnixMicro(), chartStart.Add(year).UnixMicro())
			if err != nil {
				return err
			}
			got := chart(rs)
			ours = append(ours, time.Since(t))
			t = time.Now()
			want, err := rows.chart(ctx, i)
			if err != nil {
				return err
			}
			theirs = append(theirs, time.Since(t))
			if err := sameChart(got, want); err != nil {
				return err
			}
		}
		r.header = []string{"", "p50 ms", "p99 ms"}
		for _, c := range []struct {
			name string
			took []time.Duration
		}{{"chunks", ours}, {"SQL on rows", theirs}} {
			r.rows = append(r.rows, []string{c.name, fmt.Sprintf("%.2f", ms(quantile(c.took, 0.5))), fmt.Sprintf("%.2f", ms(quantile(c.took, 0.99)))})
		}
		r.ratio = float64(median(theirs)) / float64(median(ours))
		r.keys = []string{fmt.Sprintf("ms=%.2f", ms(median(ours))), fmt.Sprintf("sql_ms=%.2f", ms(median(theirs)))}
		return nil
	})
	return r, err
}

// chart puts sorted readings of the year into buckets.
func chart(rs []reading.Reading) []bucket {
	all := make([]bucket, chartBuckets)
	var values []float64
	width := year.Microseconds() / chartBuckets
	for i := 0; i < len(rs); {
		at := (rs[i].Time - chartStart.UnixMicro()) / width
		b := bucket{min: math.Inf(1), max: math.Inf(-1)}
		values = values[:0]
		for ; i < len(rs) && (rs[i].Time-chartStart.UnixMicro())/width == at; i++ {
			v := rs[i].Value
			values = append(values, v)
			b.mean += v
			b.min, b.max = min(b.min, v), max(b.max, v)
		}
		b.n = len(values)
		b.mean /= float64(b.n)
		slices.Sort(values)
		place := 0.95 * float64(b.n-1)
		low := int(place)
		b.p95 = values[low] + (place-float64(low))*(values[min(low+1, b.n-1)]-values[low])
		all[at] = b
	}
	return all
}

// chartTable is the reference, in the order of its key.
type chartTable struct {
	conn    *pgx.Conn
	release func()
}

func newChartRows(ctx context.Context, e *engine, readings func(i int) ([]reading.Reading, error)) (*chartTable, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	t, err := newTable(ctx, conn.Conn())
	for i := 0; i < chartRows && err == nil; i++ {
		var rs []reading.Reading
		if rs, err = readings(i); err == nil {
			err = t.copy(ctx, rs)
		}
	}
	if err == nil {
		_, err = conn.Exec(ctx, `vacuum analyze bench_reading`)
	}
	if err != nil {
		conn.Release()
		return nil, err
	}
	return &chartTable{conn.Conn(), conn.Release}, nil
}

func (t *chartTable) chart(ctx context.Context, i int) ([]bucket, error) {
	const query = `
		select width_bucket(extract(epoch from time)::float8, $2::float8, $3::float8, $4) - 1 as place,
			count(*), min(value), avg(value), max(value), percentile_cont(0.95) within group (order by value)
		from bench_reading where series = $1 and time >= to_timestamp($2) and time < to_timestamp($3)
		group by place`
	rows, err := t.conn.Query(ctx, query, firstSeries+int64(i), float64(chartStart.Unix()), float64(chartStart.Add(year).Unix()), chartBuckets)
	if err != nil {
		return nil, err
	}
	all := make([]bucket, chartBuckets)
	var place int
	var b bucket
	_, err = pgx.ForEachRow(rows, []any{&place, &b.n, &b.min, &b.mean, &b.max, &b.p95}, func() error {
		all[place] = b
		return nil
	})
	return all, err
}

// sameChart compares what both have drawn: a figure that is wrong is not fast.
func sameChart(got, want []bucket) error {
	for i := range got {
		a, b := got[i], want[i]
		if a.n != b.n || a.min != b.min || a.max != b.max || math.Abs(a.mean-b.mean) > 1e-9 || math.Abs(a.p95-b.p95) > 1e-9 {
			return fmt.Errorf("bucket %d is %+v, and of the rows %+v", i, a, b)
		}
	}
	return nil
}
