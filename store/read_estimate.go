package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// findOutlived asks what Rolled.Gone says of the days that have rollups. Readings are gone where chunk has no partition: before
// each of those it has, and behind the last; and where the project keeps none any more.
const findOutlived = `
	with present (month) as (` + findChunkMonths + `), gone (low, high) as (
		select lag(month + interval '1 month', 1, '-infinity') over (order by month), month::timestamp from present
		union all
		select coalesce(max(month) + interval '1 month', '-infinity'), 'infinity' from present
		union all
		select '-infinity', * from (` + findKeptSince + `) kept
	)
	select exists (
		select
		from gone
		cross join lateral (
			select greatest(low at time zone 'UTC', $3) as low, least(high at time zone 'UTC', $4) as high
		) part
		cross join unnest($2::bigint[]) as wanted (series)
		cross join lateral (
			select from rollup_day
			where project_id = $1 and series_id = wanted.series and start >= part.low and start < part.high
			limit 1
		) r
		where part.low < part.high
	)`

// Estimate is what FindEstimate finds.
type Estimate struct {
	Packed   *Packed
	Outlived bool // there are rollups of days that tell of readings that have gone by age
}

// EstimateQuery says what FindEstimate looks for.
type EstimateQuery struct {
	Wanted   Wanted  // the rows
	Series   []int64 // whose rollups, on the UTC days that are at least in part
	From, To int64   // in this range, µs
	KeysOnly bool    // no row is going to be read
}

// FindEstimate is FindPacked that also looks for rollups of series that have outlived their readings, in the same round trip.
func FindEstimate(ctx context.Context, pool *pgxpool.Pool, q EstimateQuery) (e Estimate, err error) {
	e.Packed, err = findPacked(ctx, pool, q.Wanted, func(p *Packed, b *pgx.Batch) {
		b.Queue(findOutlived, q.Wanted.Project, q.Series, utcDay(q.From), instant(q.To)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&e.Outlived) })
		if p.over = q.KeysOnly; p.over {
			b.Queue(`commit`)
		}
	})
	return e, err
}
