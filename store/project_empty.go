package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// EmptyProject deletes what a project has of readings, in pieces, so that neither a statement nor a lock lasts long: what is
// packed, rollups and latest readings, then its journal. It is for a project that is about to go. Where it is cut off it
// leaves a project that works, without some of its readings: the journal counts as packed before its entries go. What is
// appended or packed meanwhile may stay; of a project that does not exist any more OrphanProjects finds it. Faults: as
// Fault.
func EmptyProject(ctx context.Context, pool *pgxpool.Pool, project int64) error {
	tables, err := projectTables(ctx, pool)
	if err != nil {
		return err
	}
	const nothingUnpacked = `
		insert into packing (project_id, packed_to) select project_id, head from journal_head where project_id = $1
		on conflict (project_id) do update set packed_to = greatest(packing.packed_to, excluded.packed_to)`
	if _, err := pool.Exec(ctx, nothingUnpacked, project); err != nil {
		return Fault(fmt.Errorf("give up the journal of project %d: %w", project, err))
	}
	for _, t := range tables {
		if _, err := t.delete(ctx, pool, project, ""); err != nil {
			return err
		}
	}
	return nil
}

// projectTables returns all tables with rows of readings, each partition by itself, those of the journal last.
func projectTables(ctx context.Context, db querier) ([]projectRows, error) {
	const query = `
		select h.inhrelid::regclass::text,
			case when h.inhparent = 'journal'::regclass then '"offset"' else 'series_id' end, 'bigint'
		from pg_inherits h
		where h.inhparent in ('journal'::regclass, 'chunk'::regclass, 'rollup_hour'::regclass, 'rollup_day'::regclass)
		order by h.inhparent = 'journal'::regclass, 1`
	const what = "list the tables of readings"
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, Fault(fmt.Errorf("%s: %w", what, err))
	}
	tables, err := collect(rows, what, func(row pgx.CollectableRow) (r projectRows, err error) {
		err = row.Scan(&r.table, &r.column, &r.typ)
		return r, err
	})
	return append([]projectRows{{"young", "day", "date"}, {"latest", "series_id", "bigint"}}, tables...), err
}
