package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OrphanProjects returns, in order, the ids of projects that have packed readings, rollups or latest readings and do not
// exist: they were deleted while their last readings were being packed, or a crash came between. It costs a probe of an
// index for each project in each partition. Faults: as Fault.
func OrphanProjects(ctx context.Context, pool *pgxpool.Pool) ([]int64, error) {
	tables, err := projectTables(ctx, pool)
	if err != nil {
		return nil, err
	}
	var orphans []int64
	for _, t := range tables {
		if t.column == `"offset"` {
			continue // the journal has a foreign key
		}
		found, err := t.orphans(ctx, pool)
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, found...)
	}
	slices.Sort(orphans)
	return slices.Compact(orphans), nil
}

// orphans returns the projects that have rows in the table and do not exist.
func (r projectRows) orphans(ctx context.Context, pool *pgxpool.Pool) ([]int64, error) {
	// The recursion jumps from one project to the next: PostgreSQL does not skip within an index by itself.
	query := fmt.Sprintf(`
		with recursive has (project_id) as (
			(select project_id from %[1]s order by project_id limit 1)
			union all
			select (select t.project_id from %[1]s t where t.project_id > has.project_id order by t.project_id limit 1)
			from has where has.project_id is not null)
		select project_id from has
		where project_id is not null and not exists (select from projects where id = project_id)`, r.table)
	what := "look for orphans in " + r.table
	rows, err := pool.Query(ctx, query)
	if err == nil {
		var orphans []int64
		if orphans, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err == nil {
			return orphans, nil
		}
	}
	if isUndefinedTable(err) {
		return nil, nil
	}
	return nil, Fault(fmt.Errorf("%s: %w", what, err))
}

// SeriesKey names a series of a project.
type SeriesKey struct{ Project, Series int64 }

// OrphanSeries returns, in order, at most limit series behind the key after that have a latest reading and do not exist,
// though their project does: they were deleted and the journal does not know. Faults: as Fault.
func OrphanSeries(ctx context.Context, pool *pgxpool.Pool, after SeriesKey, limit int) ([]SeriesKey, error) {
	const query = `
		select l.project_id, l.series_id from latest l
		where (l.project_id, l.series_id) > ($1, $2) and l."time" is not null
			and not exists (select from series s where s.id = l.series_id)
			and exists (select from projects p where p.id = l.project_id)
		order by l.project_id, l.series_id limit $3`
	rows, err := pool.Query(ctx, query, after.Project, after.Series, limit)
	if err != nil {
		return nil, Fault(fmt.Errorf("look for series that do not exist: %w", err))
	}
	return collect(rows, "look for series that do not exist", pgx.RowToStructByPos[SeriesKey])
}

// ForgetDeletedSeries deletes the rows of latest that say of series that do not exist that they have no reading, once
// the journal is packed as far as they go, and returns how many. Faults: as Fault.
func ForgetDeletedSeries(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	const query = `
		delete from latest l using packing k
		where k.project_id = l.project_id and l."offset" <= k.packed_to and l."time" is null
			and not exists (select from series s where s.id = l.series_id)`
	tag, err := pool.Exec(ctx, query)
	if err != nil {
		return 0, Fault(fmt.Errorf("forget deleted series: %w", err))
	}
	return tag.RowsAffected(), nil
}
