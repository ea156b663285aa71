package store

import (
	"context"
	"fmt"

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

// Estimated is what Estimate finds.
type Estimated struct {
	Packed   *Packed // without To and a connection: its rows cannot be read
	Outlived bool    // there are rollups of days that tell of readings that have gone by age
}

// Estimate looks for the rows that may hold what is wanted, as FindPacked does, and for rollups of series that have outlived
// their readings, on the UTC days that are in the range at least in part; in one round trip. Errors are PostgreSQL's own;
// see Fault.
func Estimate(ctx context.Context, pool *pgxpool.Pool, w Wanted, series []int64) (Estimated, error) {
	e := Estimated{Packed: &Packed{project: w.Project}}
	var b pgx.Batch
	e.Packed.queue(&b, w)
	b.Queue(findOutlived, w.Project, series, utcDay(w.From), instant(w.To)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&e.Outlived) })
	b.Queue(`commit`)
	if err := pool.SendBatch(ctx, &b).Close(); err != nil {
		return e, fmt.Errorf("estimate the readings of project %d: %w", w.Project, err)
	}
	e.Packed.sort()
	return e, nil
}
