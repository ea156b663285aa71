package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DeleteExpired deletes, in pieces, the rows of those projects that keep shorter than others: of chunk, rollup_hour and
// rollup_day in the partitions that are over for them, of young in the months before KeptSince. It returns how many
// rows went. Faults: as Fault.
func DeleteExpired(ctx context.Context, pool *pgxpool.Pool, now time.Time) (deleted int64, err error) {
	for _, parent := range packTables {
		n, err := deleteExpiredOf(ctx, pool, parent, now)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	n, err := deleteExpiredYoung(ctx, pool, now)
	return deleted + n, err
}

func deleteExpiredOf(ctx context.Context, pool *pgxpool.Pool, parent string, now time.Time) (deleted int64, err error) {
	all, err := partitionsOf(ctx, pool, parent)
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		if p.pending || !p.attached || p.end.After(now) {
			continue
		}
		query := fmt.Sprintf(`select p.id from projects p, lateral (select %s as days) k
			where k.days between 1 and $1 and exists (select from %s where project_id = p.id)`, kept[parent], p.name)
		rows, err := pool.Query(ctx, query, p.overFor(now))
		if err != nil {
			return deleted, Fault(fmt.Errorf("list whose rows of %s have expired: %w", p.name, err))
		}
		projects, err := collect(rows, "list whose rows of "+p.name+" have expired", pgx.RowTo[int64])
		if err != nil {
			return deleted, err
		}
		for _, project := range projects {
			n, err := projectRows{p.name, "series_id", "bigint"}.delete(ctx, pool, project, "")
			deleted += n
			if err != nil {
				return deleted, err
			}
		}
	}
	return deleted, nil
}

func deleteExpiredYoung(ctx context.Context, pool *pgxpool.Pool, now time.Time) (deleted int64, err error) {
	const query = `
		select p.id, k.since::text
		from projects p,
			lateral (select date_trunc('month', $1::timestamp - p.keep_readings_days * interval '1 day')::date as since) k
		where p.keep_readings_days > 0 and exists (select from young where project_id = p.id and day < k.since)`
	type expired struct {
		Project int64
		Since   string // a date
	}
	rows, err := pool.Query(ctx, query, now.UTC())
	if err != nil {
		return 0, Fault(fmt.Errorf("list whose young rows have expired: %w", err))
	}
	all, err := collect(rows, "list whose young rows have expired", pgx.RowToStructByPos[expired])
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		n, err := projectRows{"young", "day", "date"}.delete(ctx, pool, e.Project, e.Since)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// projectRows are rows of a table whose primary key begins with the project's id and this column.
type projectRows struct{ table, column, typ string }

// deletePiece is how many rows one statement deletes, so that neither it nor its locks last long.
const deletePiece = 2000

// delete deletes a project's rows in the order of the column, those below the value of column given as text, or all of
// them if that is "". A table that is gone, a partition that was dropped meanwhile, has none.
func (r projectRows) delete(ctx context.Context, pool *pgxpool.Pool, project int64, below string) (deleted int64, err error) {
	// Each piece goes on where the last one ended: from the beginning it would have to pass all that is deleted before a
	// vacuum takes it out of the index.
	query := fmt.Sprintf(`
		with piece as materialized (
			select ctid, %[2]s as key from %[1]s
			where project_id = $1
				and ($2::text is null or %[2]s >= $2::text::%[3]s) and ($3::text is null or %[2]s < $3::text::%[3]s)
			order by %[2]s limit $4
		), gone as (
			delete from %[1]s where ctid = any (array(select ctid from piece)) returning true)
		select count(*), max(key)::text, (select count(*) from gone) from piece`, r.table, r.column, r.typ)
	var from, to *string
	if below != "" {
		to = &below
	}
	for {
		var met, gone int64 // fewer are gone than met where another process was quicker
		err := pool.QueryRow(ctx, query, project, from, to, deletePiece).Scan(&met, &from, &gone)
		if isUndefinedTable(err) {
			return deleted, nil
		}
		if err != nil {
			return deleted, Fault(fmt.Errorf("delete rows of %s of project %d: %w", r.table, project, err))
		}
		deleted += gone
		if met == 0 {
			return deleted, nil
		}
	}
}

// isUndefinedTable reports whether err says that a table does not exist.
func isUndefinedTable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42P01"
}
