package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
)

// Advisory locks of Readout: the first number is ours ("read" in ASCII), the second says what is locked.
const (
	lockSpace      = 0x72656164
	lockPartitions = 1
	lockRetention  = 2
)

// partition is a stretch of time of a partitioned table. No table has a default partition: each later one would have to
// scan it under an exclusive lock.
type partition struct {
	parent   string
	name     string // of the table that holds it: the parent's, and the stretch's first day, month or year
	column   string // what the parent is partitioned by
	from, to string // SQL literals of its half-open bounds
	end      time.Time
	payload  bool // it has a column payload, of bytes that are compressed already
}

// attach is the statement that makes a table of the partition's name the partition. Where a constraint of the table says
// what its bounds are, nothing is scanned.
func (p partition) attach() string {
	return fmt.Sprintf(`alter table %s attach partition %s for values from (%s) to (%s);`, p.parent, p.name, p.from, p.to)
}

// makeMissing makes those partitions that are not there. When none is missing it is one statement.
func makeMissing(ctx context.Context, pool *pgxpool.Pool, wanted []partition) error {
	missing, err := missingOf(ctx, pool, wanted)
	if err != nil || len(missing) == 0 {
		return err
	}
	return maintainPatiently(ctx, pool, making, func(conn *pgx.Conn) error {
		for _, p := range missing {
			if err := making.do(ctx, func() error { return p.make(ctx, conn) }); err != nil {
				return Fault(fmt.Errorf("make the partition %s: %w", p.name, err))
			}
		}
		return nil
	})
}

// missingOf returns those of the partitions that do not stand, in their order. One that is being detached takes no rows
// any more, so it counts as missing.
func missingOf(ctx context.Context, pool *pgxpool.Pool, wanted []partition) ([]partition, error) {
	parents, names := make([]string, len(wanted)), make([]string, len(wanted))
	for i, p := range wanted {
		parents[i], names[i] = p.parent, p.name
	}
	const query = `
		select i - 1 from unnest($1::text[], $2::text[]) with ordinality as wanted (parent, name, i)
		where not exists (
			select from pg_inherits h join pg_class c on c.oid = h.inhrelid
			where h.inhparent = wanted.parent::regclass and c.relname = wanted.name and not h.inhdetachpending)
		order by i`
	rows, err := pool.Query(ctx, query, parents, names)
	if err != nil {
		return nil, Fault(fmt.Errorf("list the partitions: %w", err))
	}
	return collect(rows, "list the partitions", func(row pgx.CollectableRow) (partition, error) {
		var i int
		err := row.Scan(&i)
		return wanted[i], err
	})
}

// make makes the partition in one short transaction, unless another process was quicker. One that was on its way to be
// dropped, as it was too old, comes back with what it holds.
//
// The table is filled with nothing and checked before it is attached, so attaching scans nothing. The journal's foreign
// key takes a lock on its heads that stops appends; lock_timeout bounds how long they would queue behind us.
func (p partition) make(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := lockForPartitions(ctx, tx); err != nil {
			return err
		}
		s, err := p.standing(ctx, tx)
		switch {
		case err != nil || s.attached && !s.pending:
			return err
		case s.pending || s.marked:
			return p.restore(ctx, tx, s)
		case s.exists:
			return fault.New(fault.Conflict, "the table %s stands where a partition of %s is needed", p.name, p.parent)
		}
		storage := ""
		if p.payload { // stored as it is, and inline as long as it fits a page
			storage = `alter table ` + p.name + ` set (toast_tuple_target = 8160), alter column payload set storage external;`
		}
		_, err = tx.Exec(ctx, fmt.Sprintf(`
			create table %[1]s (like %[2]s including all, constraint %[1]s_bounds check (%[3]s >= %[4]s and %[3]s < %[5]s));
			%[6]s %[7]s
			alter table %[1]s drop constraint %[1]s_bounds`, p.name, p.parent, p.column, p.from, p.to, storage, p.attach()))
		return err
	})
}

// lockForPartitions takes, until the transaction ends, the lock of those who make and drop partitions.
func lockForPartitions(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1, $2)`, lockSpace, lockPartitions)
	return err
}

// standing is what there is by a partition's name: a table, attached to the parent, on its way to be detached, marked to
// be dropped.
type standing struct{ exists, attached, pending, marked bool }

func (p partition) standing(ctx context.Context, db querier) (s standing, err error) {
	const query = `
		select t is not null, h.inhrelid is not null, coalesce(h.inhdetachpending, false),
			coalesce(obj_description(t, 'pg_class') = $3, false)
		from to_regclass($1) t left join pg_inherits h on h.inhrelid = t and h.inhparent = $2::regclass`
	err = db.QueryRow(ctx, query, p.name, p.parent, expiredMark).Scan(&s.exists, &s.attached, &s.pending, &s.marked)
	return s, err
}

// querier reads: a pool, a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// collect reads all rows by scan; what says in errors what was done.
func collect[T any](rows pgx.Rows, what string, scan pgx.RowToFunc[T]) ([]T, error) {
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, Fault(fmt.Errorf("%s: %w", what, err))
	}
	return all, nil
}
