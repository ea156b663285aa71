package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// MakePartitions makes sure that the journal has a partition for each UTC day from yesterday to ahead days from now, by
// the database's clock. When nothing is missing it is one statement; what is missing is made under an advisory lock, so
// that any number of processes may call it at once. Faults: as Fault.
func MakePartitions(ctx context.Context, pool *pgxpool.Pool, ahead int) error {
	days, err := missingDays(ctx, pool, ahead)
	if err != nil || len(days) == 0 {
		return err
	}
	missing := make([]partition, len(days))
	for i, day := range days {
		missing[i] = journalDay(day)
	}
	return makeMissing(ctx, pool, missing)
}

// missingDays returns the UTC days from yesterday to ahead days from now that the journal has no partition for.
func missingDays(ctx context.Context, pool *pgxpool.Pool, ahead int) ([]time.Time, error) {
	const query = `
		with today as (select date_trunc('day', now() at time zone 'UTC') as day)
		select d from today, generate_series(day - interval '1 day', day + $1 * interval '1 day', interval '1 day') d
		where not exists (
			select from pg_inherits i join pg_class c on c.oid = i.inhrelid
			where i.inhparent = 'journal'::regclass and c.relname = 'journal_' || to_char(d, 'YYYYMMDD')
				and not i.inhdetachpending)
		order by d`
	rows, err := pool.Query(ctx, query, ahead)
	if err != nil {
		return nil, Fault(fmt.Errorf("list the journal's partitions: %w", err))
	}
	return collect(rows, "list the journal's partitions", pgx.RowTo[time.Time])
}

func journalDay(day time.Time) partition {
	return partition{
		parent: "journal", name: "journal_" + day.Format("20060102"), payload: true,
		column: "at", from: utcBound(day), to: utcBound(day.AddDate(0, 0, 1)), end: day.AddDate(0, 0, 1),
	}
}

func utcBound(day time.Time) string { return "'" + day.Format(time.DateOnly) + " 00:00:00+00'" }
