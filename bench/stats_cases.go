package main

import (
	"context"
	"time"

	"github.com/readout-dev/readout/stats"
)

const day = 24 * time.Hour

// statsHourly asks for hourly quantiles of 30 days of one series. The ratio is to 10 ms.
func statsHourly(ctx context.Context, l *statsLoad) (result, error) {
	t, err := l.turns(ctx, 50, func(round int) *question {
		from := chartStart.Add(time.Duration(round*6) * day)
		q := l.one(round, from, from.Add(30*day))
		q.window = stats.Window{Every: stats.Hour.Period()}
		q.quantiles, q.exact = []float64{0.5, 0.95, 0.99}, true
		q.forms = []form{grouped(`
			select 0, date_bin('1 hour', time, $2) as start, count(*), 0::float8, 0::float8, 0::float8,
				percentile_cont('{0.5,0.95,0.99}'::float8[]) within group (order by value)
			from bench_reading where series = $1 and time >= $2 and time < $3
			group by start`, q.groups[0][0], q.from, q.to)}
		return q
	})
	if err != nil {
		return result{}, err
	}
	r := t.result()
	r.ratio = 10 / ms(median(t.ours))
	return r, nil
}

// statsYear draws a year of one series in 500 buckets, with exact quantiles.
func statsYear(ctx context.Context, l *statsLoad) (result, error) {
	t, err := l.turns(ctx, 50, l.chart)
	if err != nil {
		return result{}, err
	}
	return t.result(), nil
}

// chart is the question of statsYear. SQL places a time by date_bin, which takes two thirds of what width_bucket does.
func (l *statsLoad) chart(round int) *question {
	q := l.one(round, chartStart, chartStart.Add(year))
	q.window = stats.Window{Every: stats.Period{Time: year / chartBuckets}, FromRange: true}
	q.extremes, q.quantiles, q.exact = true, []float64{0.95}, true
	args := []any{q.groups[0][0], q.from, q.to, year / chartBuckets}
	q.forms = []form{grouped(`
		select 0, date_bin($4, time, $2) as start, count(*), min(value), avg(value), max(value),
			array[percentile_cont(0.95) within group (order by value)]
		from bench_reading where series = $1 and time >= $2 and time < $3
		group by start`, args...), probed(`
		select 0, start, b.*
		from generate_series($2::timestamptz, $3::timestamptz - $4::interval, $4::interval) start cross join lateral (
			select count(*) as n, min(value), avg(value), max(value), array[percentile_cont(0.95) within group (order by value)]
			from bench_reading where series = $1 and time >= start and time < start + $4::interval
		) b
		where n > 0`, args...)}
	return q
}

// one asks for one of the series, another in each round.
func (l *statsLoad) one(round int, from, to time.Time) *question {
	return &question{groups: [][]int64{{firstSeries + int64(round*7%l.series)}}, from: from, to: to}
}

// groupSites is how many sites are asked for at once: 100 series.
const groupSites = 10

// statsGroupHour asks for the hourly p99 of a week of 100 series, by site.
func statsGroupHour(ctx context.Context, l *statsLoad) (result, error) {
	t, err := l.turns(ctx, 20, func(round int) *question {
		from := chartStart.Add(time.Duration(round*7+3) * day)
		return l.bySite(round, from, from.Add(7*day), stats.Hour, time.Hour)
	})
	if err != nil {
		return result{}, err
	}
	return t.result(), nil
}

// statsGroupDay asks for the daily p99 of 90 days of 100 series, by site.
func statsGroupDay(ctx context.Context, l *statsLoad) (result, error) {
	t, err := l.turns(ctx, 10, func(round int) *question {
		from := chartStart.Add(time.Duration(round*20+3) * day)
		return l.bySite(round, from, from.Add(90*day), stats.Day, day)
	})
	if err != nil {
		return result{}, err
	}
	return t.result(), nil
}

// bySite asks for the p99 of groupSites sites, others in each round, in each of a unit of time, which is so long.
func (l *statsLoad) bySite(round int, from, to time.Time, unit stats.Unit, long time.Duration) *question {
	first := round * groupSites % l.sites
	q := &question{from: from, to: to, window: stats.Window{Every: unit.Period()}, quantiles: []float64{0.99}, groups: make([][]int64, groupSites)}
	for i := range l.series {
		if group := i%l.sites - first; group >= 0 && group < groupSites {
			q.groups[group] = append(q.groups[group], firstSeries+int64(i))
		}
	}
	args := []any{first, from, to, long, groupSites}
	q.forms = []form{grouped(`
		select s.site - $1::int, date_bin($4, r.time, $2) as start, count(*), 0::float8, 0::float8, 0::float8,
			array[percentile_cont(0.99) within group (order by r.value)]
		from bench_site s join bench_reading r using (series)
		where s.site >= $1::int and s.site < $1::int + $5::int and r.time >= $2 and r.time < $3
		group by s.site, start`, args...), probed(`
		select site - $1::int, start, b.n, 0::float8, 0::float8, 0::float8, b.p99
		from generate_series($1::int, $1::int + $5::int - 1) site,
			generate_series($2::timestamptz, $3::timestamptz - $4::interval, $4::interval) start
		cross join lateral (
			select count(*) as n, array[percentile_cont(0.99) within group (order by r.value)] as p99
			from bench_site s join bench_reading r using (series)
			where s.site = site.site and r.time >= start and r.time < start + $4::interval
		) b
		where n > 0`, args...)}
	return q
}

// statsMonths asks for the months of a year in Berlin, of all series together.
func statsMonths(ctx context.Context, l *statsLoad) (result, error) {
	q, err := l.months()
	if err != nil {
		return result{}, err
	}
	t, err := l.turns(ctx, 5, func(int) *question { return q })
	if err != nil {
		return result{}, err
	}
	return t.result(), nil
}

// months is the question of statsMonths.
func (l *statsLoad) months() (*question, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	from := time.Date(chartStart.Year(), 1, 1, 0, 0, 0, 0, zone)
	q := &question{from: from, to: from.AddDate(1, 0, 0), window: stats.Window{Every: stats.Month.Period(), Zone: zone}, extremes: true, groups: make([][]int64, 1)}
	for i := range l.series {
		q.groups[0] = append(q.groups[0], firstSeries+int64(i))
	}
	var bounds []time.Time
	for at := from; !at.After(q.to); at = at.AddDate(0, 1, 0) {
		bounds = append(bounds, at)
	}
	q.forms = []form{
		grouped(`
			select 0, date_trunc('month', time, 'Europe/Berlin') as start, count(*), min(value), avg(value), max(value), '{}'::float8[]
			from bench_reading where time >= $1 and time < $2 and series < $3
			group by start`, q.from, q.to, l.dense()),
		{"SQL, group by place among the bounds", "bounds_ms", `
			select 0, ($4::timestamptz[])[place], n, low, mean, high, '{}'::float8[]
			from (
				select width_bucket(time, $4::timestamptz[]) as place, count(*) as n, min(value) as low, avg(value) as mean, max(value) as high
				from bench_reading where time >= $1 and time < $2 and series < $3
				group by place
			) b`, []any{q.from, q.to, l.dense(), bounds}},
		probed(`
			select 0, start, sum(n)::bigint, min(low), sum(n * mean) / sum(n), max(high), '{}'::float8[]
			from unnest($1::timestamptz[], $2::timestamptz[]) month (start, "end"), bench_site s cross join lateral (
				select count(*) as n, min(value) as low, avg(value) as mean, max(value) as high
				from bench_reading r where r.series = s.series and r.time >= start and r.time < "end"
			) b
			where n > 0
			group by start`, bounds[:len(bounds)-1], bounds[1:]),
	}
	return q, nil
}
