package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ProjectStats is how much a project has stored.
type ProjectStats struct {
	Project  int64
	Name     string
	Head     int64 // offset of the journal's last entry
	PackedTo int64

	UnpackedEntries  int64
	UnpackedReadings int64
	Oldest           time.Time // arrival of the oldest unpacked entry; zero when there is none

	Tables map[string]TableStats // by the names of StatsTables
}

// TableStats is what a project has in a table.
type TableStats struct {
	Rows     int64
	Readings int64 // in journal, young and chunk; those that several rows hold are counted in each
	Bytes    int64 // the project's share of the table, by what its rows hold; indexes and what is free included
}

// PartitionStats is the partitions of a table.
type PartitionStats struct {
	Table          string
	Count          int
	Bytes          int64
	Oldest, Newest string // their names; empty where there are none
}

// StatsTables are the tables of ProjectStats, in the order of the data's flow.
var StatsTables = []string{"journal", "young", "chunk", "rollup_hour", "rollup_day", "latest"}

// rowStats is, by table, what counts the readings of rows and what their bytes go by.
var rowStats = map[string]struct{ readings, weight string }{
	"journal":     {`sum(count) filter (where kind = 1)`, `sum(octet_length(payload) + 100)`},
	"young":       {`sum(count)`, `sum(octet_length(payload) + 200)`},
	"chunk":       {`sum(count)`, `sum(octet_length(payload) + 130)`},
	"rollup_hour": {`0`, `sum(octet_length(sketch) + 200)`},
	"rollup_day":  {`0`, `sum(octet_length(sketch) + 200)`},
	"latest":      {`0`, `sum(100)`},
}

// Stats returns how much each project has stored, in order of their ids; of one project unless it is 0. It reads the rows,
// though not what they hold, of all tables. Faults: as Fault.
func Stats(ctx context.Context, pool *pgxpool.Pool, project int64) (all []ProjectStats, err error) {
	err = Maintain(ctx, pool, func(conn *pgx.Conn) error {
		if all, err = listStats(ctx, conn, project); err != nil {
			return Fault(fmt.Errorf("list the projects: %w", err))
		}
		byID := make(map[int64]*ProjectStats, len(all))
		for i := range all {
			byID[all[i].Project] = &all[i]
		}
		for _, table := range StatsTables {
			if err := addStats(ctx, conn, table, byID); err != nil {
				return Fault(fmt.Errorf("measure %s: %w", table, err))
			}
		}
		return nil
	})
	return all, err
}

func listStats(ctx context.Context, conn *pgx.Conn, project int64) ([]ProjectStats, error) {
	rows, err := conn.Query(ctx, `
		select p.id, p.name, coalesce(h.head, 0), coalesce(k.packed_to, 0), u.entries, u.readings, u.oldest
		from projects p
		left join journal_head h on h.project_id = p.id
		left join packing k on k.project_id = p.id
		cross join lateral (
			select count(*) as entries, coalesce(sum(count) filter (where kind = 1), 0) as readings, min(at) as oldest
			from journal j where j.project_id = p.id and j."offset" > coalesce(k.packed_to, 0)
		) u
		where $1::bigint = 0 or p.id = $1
		order by p.id`, project)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ProjectStats, error) {
		s := ProjectStats{Tables: map[string]TableStats{}}
		var oldest *time.Time
		err := row.Scan(&s.Project, &s.Name, &s.Head, &s.PackedTo, &s.UnpackedEntries, &s.UnpackedReadings, &oldest)
		if oldest != nil {
			s.Oldest = oldest.UTC()
		}
		return s, err
	})
}

// addStats adds what a table has of each of the projects. Its bytes are divided by what the rows of all hold.
func addStats(ctx context.Context, conn *pgx.Conn, table string, projects map[int64]*ProjectStats) error {
	var size int64
	if err := conn.QueryRow(ctx, tableSize, table).Scan(&size); err != nil {
		return err
	}
	how := rowStats[table]
	rows, err := conn.Query(ctx, fmt.Sprintf(`
		select project_id, count(*), coalesce(%s, 0)::bigint, (%s / sum(%[2]s) over () * $1)::bigint
		from %[3]s group by project_id`, how.readings, how.weight, table), size)
	if err != nil {
		return err
	}
	var id int64
	var s TableStats
	_, err = pgx.ForEachRow(rows, []any{&id, &s.Rows, &s.Readings, &s.Bytes}, func() error {
		if p := projects[id]; p != nil {
			p.Tables[table] = s
		}
		return nil
	})
	return err
}

// A partitioned table holds nothing itself.
const tableSize = `select pg_total_relation_size($1::text::regclass)
	+ coalesce((select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = $1::text::regclass), 0)::bigint`

// Partitions returns the partitions of the partitioned tables. Faults: as Fault.
func Partitions(ctx context.Context, pool *pgxpool.Pool) ([]PartitionStats, error) {
	rows, err := pool.Query(ctx, `
		select t.name, count(i.inhrelid), coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::bigint,
			coalesce(min(c.relname::text), ''), coalesce(max(c.relname::text), '')
		from unnest(array['journal', 'chunk', 'rollup_hour', 'rollup_day']) with ordinality as t (name, place)
		left join pg_inherits i on i.inhparent = t.name::regclass
		left join pg_class c on c.oid = i.inhrelid
		group by t.name, t.place order by t.place`)
	if err == nil {
		var all []PartitionStats
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[PartitionStats]); err == nil {
			return all, nil
		}
	}
	return nil, Fault(fmt.Errorf("measure the partitions: %w", err))
}
