package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Advisory locks of Readout: the first number is ours ("read" in ASCII), the second says what is locked.
const (
	lockSpace      = 0x72656164
	lockPartitions = 1
)

// MakePartitions makes sure that the journal has a partition for each UTC day from yesterday to ahead days from now, by
// the database's clock. When nothing is missing it is one statement; what is missing is made under an advisory lock, so
// that any number of processes may call it at once. Faults: as Fault.
func MakePartitions(ctx context.Context, pool *pgxpool.Pool, ahead int) error {
	missing, err := missingDays(ctx, pool, ahead)
	if err != nil || len(missing) == 0 {
		return err
	}
	return Maintain(ctx, pool, func(conn *pgx.Conn) error {
		for _, day := range missing {
			if err := patiently(ctx, func() error { return makePartition(ctx, conn, day) }); err != nil {
				return Fault(fmt.Errorf("make the journal's partition of %s: %w", day.Format(time.DateOnly), err))
			}
		}
		return nil
	})
}

// missingDays returns the UTC days from yesterday to ahead days from now that the journal has no partition for.
func missingDays(ctx context.Context, pool *pgxpool.Pool, ahead int) ([]time.Time, error) {
	const query = `
		with today as (select date_trunc('day', now() at time zone 'UTC') as day)
		select d from today, generate_series(day - interval '1 day', day + $1 * interval '1 day', interval '1 day') d
		where not exists (
			select from pg_inherits i join pg_class c on c.oid = i.inhrelid
			where i.inhparent = 'journal'::regclass and c.relname = 'journal_' || to_char(d, 'YYYYMMDD'))
		order by d`
	rows, err := pool.Query(ctx, query, ahead)
	if err != nil {
		return nil, Fault(fmt.Errorf("list the journal's partitions: %w", err))
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, Fault(fmt.Errorf("list the journal's partitions: %w", err))
	}
	return days, nil
}

// makePartition makes one partition in one short transaction, unless another process was quicker.
//
// The table is filled with nothing and checked before it is attached, so attaching scans nothing. Its foreign key takes
// a lock on the journal's heads that stops appends; lock_timeout bounds how long they would queue behind us.
func makePartition(ctx context.Context, conn *pgx.Conn, day time.Time) error {
	name := "journal_" + day.Format("20060102")
	from, to := utcBound(day), utcBound(day.AddDate(0, 0, 1))
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1, $2)`, lockSpace, lockPartitions); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, `select to_regclass($1) is not null`, name).Scan(&exists); err != nil || exists {
			return err
		}
		// Payloads are compressed already: stored as they are, and inline as long as they fit a page.
		_, err := tx.Exec(ctx, fmt.Sprintf(`
			set local lock_timeout = '500ms';
			create table %[1]s (like journal including all) with (toast_tuple_target = 8160);
			alter table %[1]s alter column payload set storage external,
				add constraint %[1]s_at check (at >= %[2]s and at < %[3]s);
			alter table journal attach partition %[1]s for values from (%[2]s) to (%[3]s);
			alter table %[1]s drop constraint %[1]s_at`, name, from, to))
		return err
	})
}

func utcBound(day time.Time) string { return "'" + day.Format(time.DateOnly) + " 00:00:00+00'" }

// patiently tries fn again while it cannot get a lock in time.
func patiently(ctx context.Context, fn func() error) error {
	const tries = 30
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == tries || !isLockTimeout(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
