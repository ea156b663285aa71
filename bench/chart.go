package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/history"
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
// order of their primary key. PostgreSQL is warm on both sides. The ratio is without Readout's cache of decoded chunks.
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
		cached := e.reader(0)
		var ours, again, theirs []time.Duration
		for round := range rounds { // by turns, so that what disturbs the machine disturbs all
			i := round % chartRows
			t := time.Now()
			want, err := rows.chart(ctx, i)
			if err != nil {
				return err
			}
			theirs = append(theirs, time.Since(t))
			for _, by := range []struct {
				reader *history.Reader
				took   *[]time.Duration
			}{{reader, &ours}, {cached, nil}, {cached, &again}} {
				t := time.Now()
				got, err := drawChart(ctx, e, by.reader, firstSeries+int64(i))
				if err != nil {
					return err
				}
				if by.took != nil {
					*by.took = append(*by.took, time.Since(t))
				}
				if err := sameChart(got, want); err != nil {
					return err
				}
			}
		}
		r.header = []string{"", "p50 ms", "p99 ms"}
		for _, c := range []struct {
			name string
			took []time.Duration
		}{{"chunks", ours}, {"chunks, decoded before", again}, {"SQL on rows", theirs}} {
			r.rows = append(r.rows, []string{c.name, fmt.Sprintf("%.2f", ms(quantile(c.took, 0.5))), fmt.Sprintf("%.2f", ms(quantile(c.took, 0.99)))})
		}
		r.ratio = float64(median(theirs)) / float64(median(ours))
		r.keys = []string{fmt.Sprintf("ms=%.2f", ms(median(ours))), fmt.Sprintf("cached_ms=%.2f", ms(median(again))), fmt.Sprintf("sql_ms=%.2f", ms(median(theirs)))}
		return nil
	})
	return r, err
}

// chart makes buckets of readings that come in order of time, in pieces.
type chart struct {
	buckets []bucket
	at      int       // the bucket that is open
	end     int64     // where it ends
	values  []float64 // in it
}

const chartWidth = int64(year/time.Microsecond) / chartBuckets

func newChart() *chart {
	return &chart{buckets: make([]bucket, chartBuckets), end: chartStart.UnixMicro() + chartWidth}
}

func (c *chart) add(rs []reading.Reading) {
	for _, r := range rs {
		if r.Time >= c.end {
			c.close()
			c.at = int((r.Time - chartStart.UnixMicro()) / chartWidth)
			c.end = chartStart.UnixMicro() + int64(c.at+1)*chartWidth
		}
		c.values = append(c.values, r.Value)
	}
}

// close finishes the open bucket.
func (c *chart) close() {
	if len(c.values) == 0 {
		return
	}
	b := bucket{n: len(c.values), min: c.values[0], max: c.values[0]}
	for _, v := range c.values {
		b.mean += v
		b.min, b.max = min(b.min, v), max(b.max, v)
	}
	b.mean /= float64(b.n)
	place := 0.95 * float64(b.n-1)
	low := int(place)
	b.p95 = selectNth(c.values, low)
	if rest := c.values[low+1:]; len(rest) > 0 {
		b.p95 += (place - float64(low)) * (slices.Min(rest) - b.p95)
	}
	c.buckets[c.at] = b
	c.values = c.values[:0]
}

// selectNth returns what would be at place n if vs were sorted, and leaves nothing greater before it and nothing less
// behind it (Hoare, Algorithm 65).
func selectNth(vs []float64, n int) float64 {
	for low, high := 0, len(vs)-1; low < high; {
		pivot, i, j := vs[n], low, high
		for i <= j {
			for ; vs[i] < pivot; i++ {
			}
			for ; vs[j] > pivot; j-- {
			}
			if i <= j {
				vs[i], vs[j] = vs[j], vs[i]
				i++
				j--
			}
		}
		if j < n {
			low = i
		}
		if n < i {
			high = j
		}
	}
	return vs[n]
}

// drawChart draws a series of Readout's.
func drawChart(ctx context.Context, e *engine, reader *history.Reader, series int64) ([]bucket, error) {
	c := newChart()
	for span, err := range reader.Spans(ctx, e.project, []int64{series}, chartStart.UnixMicro(), chartStart.Add(year).UnixMicro(), 2*chartPoints) {
		if err != nil {
			return nil, err
		}
		c.add(span.Series[0])
	}
	c.close()
	return c.buckets, nil
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
