package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

const (
	decimatePoints = 1000
	denseBuckets   = (decimatePoints - 2) / 2 // of stats.MinMax: see there
)

// statsDecimate thins a million readings of one series to a thousand points, extremes kept: from its chunks, from rows that
// are fetched, and in SQL. The ratio is to the rows that are fetched.
func statsDecimate(ctx context.Context, l *statsLoad) (r result, err error) {
	var t turns
	cached := l.e.reader(0)
	for round := range 10 + 1 {
		if round <= 1 { // the first loads, plans and caches
			t = turns{theirs: []side{{name: "rows, fetched", key: "fetched_ms"}, {name: "rows, thinned by SQL", key: "sql_ms"}}}
		}
		var want []reading.Reading
		for _, by := range []struct {
			decimate func() ([]reading.Reading, error)
			took     *[]time.Duration
		}{
			{func() ([]reading.Reading, error) { return l.rows.decimate(ctx, l.dense()) }, &t.theirs[0].took},
			{func() ([]reading.Reading, error) { return l.rows.decimateThere(ctx, l.dense()) }, &t.theirs[1].took},
			{func() ([]reading.Reading, error) { return l.decimate(ctx, l.reader) }, &t.ours},
			{func() ([]reading.Reading, error) { return l.decimate(ctx, cached) }, &t.cached},
		} {
			begin := time.Now()
			got, err := by.decimate()
			if err != nil {
				return r, err
			}
			*by.took = append(*by.took, time.Since(begin))
			if want == nil {
				want = got
			}
			if len(got) != decimatePoints || !slices.Equal(got, want) {
				return r, fmt.Errorf("%d points, not those of the rows that were fetched", len(got))
			}
		}
	}
	r = t.result()
	r.ratio = float64(median(t.theirs[0].took)) / float64(median(t.ours))
	return r, nil
}

func (l *statsLoad) decimate(ctx context.Context, reader *history.Reader) ([]reading.Reading, error) {
	return reader.MinMax(ctx, l.e.project, l.dense(), chartStart.UnixMicro(), chartStart.Add(year).UnixMicro(), decimatePoints)
}

// decimate fetches the rows of a series and thins them.
func (s *statsRows) decimate(ctx context.Context, series int64) ([]reading.Reading, error) {
	rs, err := s.readings(ctx, series, densePoints, `select time, value from bench_reading where series = $1 order by time`, series)
	return stats.MinMax(rs, decimatePoints), err
}

// decimateThere has SQL choose the same points: it finds each bucket by the key, in it the extremes, and then the first
// readings that have them. (Sorting each bucket, or grouping first, takes longer.)
func (s *statsRows) decimateThere(ctx context.Context, series int64) ([]reading.Reading, error) {
	every := (year / densePoints).Truncate(time.Microsecond)
	first, last := chartStart, chartStart.Add((densePoints-1)*every)
	return s.readings(ctx, series, decimatePoints, `
		select p.time, p.value
		from generate_series($3::timestamptz, $4::timestamptz - $2::interval, $2::interval) start cross join lateral (
			select min(value) as low, max(value) as high
			from bench_reading where series = $1 and time >= start and time < start + $2::interval and time > $3
		) b cross join lateral (
			(
				select time, value from bench_reading
				where series = $1 and time >= start and time < start + $2::interval and time > $3 and value = low
				order by time limit 1
			) union (
				select time, value from bench_reading
				where series = $1 and time >= start and time < start + $2::interval and time > $3 and value = high
				order by time limit 1
			)
		) p
		union all
		select time, value from bench_reading where series = $1 and time in ($3, $4)
		order by time`, series, (densePoints-1)/denseBuckets*every, first, last)
}

// readings fetches about count rows of time and value.
func (s *statsRows) readings(ctx context.Context, series int64, count int, sql string, args ...any) ([]reading.Reading, error) {
	rows, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	rs := make([]reading.Reading, 0, count)
	var at time.Time
	var value float64
	_, err = pgx.ForEachRow(rows, []any{&at, &value}, func() error {
		rs = append(rs, reading.Reading{Series: series, Time: at.UnixMicro(), Value: value})
		return nil
	})
	return rs, err
}
