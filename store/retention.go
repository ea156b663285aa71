package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Packed readings and rollups go by the UTC month, rollups of days by the UTC year: a stretch is over for a project when
// it ended longer ago than the project keeps what is in it. So everything is kept at least as long as was asked for, and
// there are no gaps: what stands of readings begins with a month. Rollups are kept as long as the readings that they sum
// up, though they may be kept longer.

// KeptSince returns the beginning of what stands at now of a project that keeps its readings so many days: older ones may
// be gone or not. It is the zero time for 0, which is for ever.
func KeptSince(now time.Time, days int) time.Time {
	if days == 0 {
		return time.Time{}
	}
	return monthOf(now.UTC().AddDate(0, 0, -days))
}

// kept is, of a partitioned table, the SQL expression of how many days a project p keeps it.
var kept = map[string]string{
	"chunk":       keptReadings,
	"rollup_hour": keptRollups,
	"rollup_day":  keptRollups,
}

const (
	keptReadings = `p.keep_readings_days`
	keptRollups  = `case when least(p.keep_readings_days, p.keep_rollups_days) = 0 then 0
		else greatest(p.keep_readings_days, p.keep_rollups_days) end`
)

// packTables are the tables of kept, in the order in which they are looked at.
var packTables = []string{"chunk", "rollup_hour", "rollup_day"}

// emptyFor is how many days after its end a partition may be dropped since nobody has rows in it: before, readings of
// its last days may be on their way.
const emptyFor = 7

// overFor returns the most days that somebody may want to keep and to whom the partition is over at now all the same.
func (p partition) overFor(now time.Time) int {
	return max(int(math.Floor(now.Sub(p.end).Hours()/24)), 0)
}

// DropExpired drops the partitions of chunk, rollup_hour and rollup_day that are over at now for every project that has
// rows in them, and returns their names; those without rows go a week after their end. What it cannot lock in time, as a
// long transaction uses it, is Unavailable and stays as it is for the next time, which goes on where this one ended. It is
// for one process at a time: see KeepAlone. Faults: as Fault.
func DropExpired(ctx context.Context, pool *pgxpool.Pool, now time.Time) (dropped []string, err error) {
	expired := func(ctx context.Context, db querier, p partition) (bool, error) {
		if p.end.After(now) {
			return false, nil
		}
		query := fmt.Sprintf(`
			select not exists (
				select from projects p, lateral (select %s as days) k
				where (k.days = 0 or k.days > $1) and ($1 < $2 or exists (select from %s where project_id = p.id)))`,
			kept[p.parent], p.name)
		var over bool
		err := db.QueryRow(ctx, query, p.overFor(now), emptyFor).Scan(&over)
		return over, err
	}
	for _, parent := range packTables {
		names, err := dropPartitions(ctx, pool, parent, expired, partition.dropAtOnce)
		dropped = append(dropped, names...)
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// DropJournal drops the partitions of the journal whose day ended longer ago than any project wants to resume and whose
// entries are all packed, and returns their names; otherwise it is as DropExpired, but for going in steps, of which the next
// call does those that are left. Appends go on meanwhile: they wait for some milliseconds where the journal's foreign key
// makes PostgreSQL lock the heads. Faults: as Fault.
func DropJournal(ctx context.Context, pool *pgxpool.Pool, now time.Time) (dropped []string, err error) {
	expired := func(ctx context.Context, db querier, p partition) (bool, error) {
		if p.end.After(now) {
			return false, nil
		}
		// Only of projects that are behind it is looked whether their first entry that is not packed stands here.
		query := `
			select coalesce(max(resume_hours), 0) * interval '1 hour' <= $1::timestamptz - $2::timestamptz
				and not exists (
					select from journal_head h left join packing k using (project_id),
						lateral (select from ` + p.name + ` where project_id = h.project_id
							and "offset" > coalesce(k.packed_to, 0) limit 1) unpacked
					where h.head > coalesce(k.packed_to, 0))
			from projects`
		var over bool
		err := db.QueryRow(ctx, query, now, p.end).Scan(&over)
		return over, err
	}
	return dropPartitions(ctx, pool, "journal", expired, partition.dropInSteps)
}

// dropPartitions drops the partitions of parent that have expired, and those that are on their way, by drop, which asks
// expired once more.
func dropPartitions(
	ctx context.Context, pool *pgxpool.Pool, parent string, expired expiry,
	drop func(p partition, ctx context.Context, pool *pgxpool.Pool, expired expiry) (bool, error),
) (dropped []string, err error) {
	all, err := partitionsOf(ctx, pool, parent)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		over := !p.attached || p.pending
		if !over {
			if over, err = expired(ctx, pool, p.partition); err != nil {
				return dropped, Fault(fmt.Errorf("ask whether %s has expired: %w", p.name, err))
			}
		}
		if !over {
			continue
		}
		gone, err := drop(p.partition, ctx, pool, expired)
		if err != nil {
			return dropped, Fault(fmt.Errorf("drop the partition %s: %w", p.name, err))
		}
		if gone {
			dropped = append(dropped, p.name)
		}
	}
	return dropped, nil
}

// found is a partition as it was found.
type found struct {
	partition
	standing
}

// partitionsOf returns the partitions of parent that were made here, the oldest first, and those that are on their way to
// be dropped.
func partitionsOf(ctx context.Context, db querier, parent string) ([]found, error) {
	const query = `
		select c.relname, h.inhrelid is not null, coalesce(h.inhdetachpending, false)
		from pg_class c left join pg_inherits h on h.inhrelid = c.oid
		where h.inhparent = $1::text::regclass
			or h.inhparent is null and c.relkind = 'r' and starts_with(c.relname, $1 || '_')
				and c.relnamespace = (select relnamespace from pg_class where oid = $1::text::regclass)
				and obj_description(c.oid, 'pg_class') = $2
		order by c.relname`
	rows, err := db.Query(ctx, query, parent, expiredMark)
	if err != nil {
		return nil, Fault(fmt.Errorf("list the partitions of %s: %w", parent, err))
	}
	all, err := collect(rows, "list the partitions of "+parent, func(row pgx.CollectableRow) (f found, err error) {
		err = row.Scan(&f.name, &f.attached, &f.pending)
		return f, err
	})
	made := all[:0]
	for _, f := range all {
		if p, ok := partitionNamed(parent, f.name); ok {
			made = append(made, found{p, f.standing})
		}
	}
	return made, err
}

// partitionNamed returns the partition of parent that has this name; false for a name that is not of our making.
func partitionNamed(parent, name string) (partition, bool) {
	layout, of := "200601", chunkMonth
	switch parent {
	case "journal":
		layout, of = "20060102", journalDay
	case "rollup_hour":
		of = rollupMonth
	case "rollup_day":
		layout, of = "2006", rollupYear
	}
	start, err := time.Parse(layout, strings.TrimPrefix(name, parent+"_"))
	if err != nil {
		return partition{}, false
	}
	p := of(start)
	return p, p.name == name
}
