package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// EmptyProject deletes what a project has of readings, in pieces, so that neither a statement nor a lock lasts long: its
// journal, the oldest entries first, what is packed of it, rollups and latest readings. It is for a project that is
// about to go: offsets are not dense any more. What is appended or packed meanwhile may stay; of a project that does not
// exist any more OrphanProjects finds it. Faults: as Fault.
func EmptyProject(ctx context.Context, pool *pgxpool.Pool, project int64) error {
	tables, err := projectTables(ctx, pool)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := t.delete(ctx, pool, project, ""); err != nil {
			return err
		}
	}
	return nil
}

// projectTables returns all tables with rows of readings, each partition by itself, those of the journal first.
func projectTables(ctx context.Context, db querier) ([]projectRows, error) {
	const query = `
		select h.inhrelid::regclass::text,
			case when h.inhparent = 'journal'::regclass then '"offset"' else 'series_id' end, 'bigint'
		from pg_inherits h
		where h.inhparent in ('journal'::regclass, 'chunk'::regclass, 'rollup_hour'::regclass, 'rollup_day'::regclass)
		order by h.inhparent <> 'journal'::regclass, 1`
	const what = "list the tables of readings"
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, Fault(fmt.Errorf("%s: %w", what, err))
	}
	tables, err := collect(rows, what, func(row pgx.CollectableRow) (r projectRows, err error) {
		err = row.Scan(&r.table, &r.column, &r.typ)
		return r, err
	})
	return append(tables, projectRows{"young", "day", "date"}, projectRows{"latest", "series_id", "bigint"}), err
}
