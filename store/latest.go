package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Newest is what a series' newest reading was at an offset of its project's journal.
type Newest struct {
	Project, Series int64
	Offset          int64   // of the entry that made it so
	Time            int64   // µs since 1970
	Value           float64 // what was read then
	None            bool    // the series had no reading; Time and Value mean nothing
}

// Execer runs a statement: a pool, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// PutLatest writes rows into the table latest, in one statement; where the table has news of the same offset or a higher
// one, its row stays as it is and is not even locked. So it does not matter in which order, how often and by how many
// processes news is written. The rows may come in any order, and more than one of a series. Rows that it writes are
// locked in the order of the table's key: call it once in a transaction, near its end.
//
// Errors are PostgreSQL's own; see Fault.
func PutLatest(ctx context.Context, db Execer, rows []Newest) error {
	rows = newestOfEach(rows)
	if len(rows) == 0 {
		return nil
	}
	c := newLatestColumns(rows)
	_, err := db.Exec(ctx, putLatest, c.projects, c.series, c.offsets, c.times, c.values)
	if err != nil {
		return fmt.Errorf("write %d latest readings: %w", len(rows), err)
	}
	return nil
}

// putLatest looks before it inserts: ON CONFLICT locks the row that it meets, which writes to it, even where its WHERE
// says no. The WHERE is for what others wrote since the look. OFFSET 0 keeps the look a probe of the key for each row:
// joined freely, PostgreSQL would rather read the whole table each time.
const putLatest = `
	insert into latest (project_id, series_id, "offset", "time", value)
	select project_id, series_id, news."offset", news."time", news.value
	from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::float8[])
		as news (project_id, series_id, "offset", "time", value)
	left join lateral (
		select "offset" from latest where project_id = news.project_id and series_id = news.series_id offset 0
	) old on true
	where old."offset" is null or old."offset" < news."offset"
	order by project_id, series_id
	on conflict (project_id, series_id) do update
		set "offset" = excluded."offset", "time" = excluded."time", value = excluded.value
		where excluded."offset" > latest."offset"`

// newestOfEach returns the row with the highest offset of each series, in the order of the table's key; of equal offsets
// the later row's.
func newestOfEach(rows []Newest) []Newest {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Newest) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Series, b.Series), cmp.Compare(a.Offset, b.Offset))
	})
	kept := rows[:0]
	for i, r := range rows {
		if i+1 == len(rows) || rows[i+1].Project != r.Project || rows[i+1].Series != r.Series {
			kept = append(kept, r)
		}
	}
	return kept
}

// latestColumns are rows as putLatest takes them.
type latestColumns struct {
	projects, series, offsets []int64
	times                     []pgtype.Timestamptz
	values                    []pgtype.Float8
}

func newLatestColumns(rows []Newest) latestColumns {
	n := len(rows)
	c := latestColumns{
		make([]int64, n), make([]int64, n), make([]int64, n), make([]pgtype.Timestamptz, n), make([]pgtype.Float8, n),
	}
	for i, r := range rows {
		c.projects[i], c.series[i], c.offsets[i] = r.Project, r.Series, r.Offset
		if !r.None {
			c.times[i] = pgtype.Timestamptz{Time: time.UnixMicro(r.Time).UTC(), Valid: true}
			c.values[i] = pgtype.Float8{Float64: r.Value, Valid: true}
		}
	}
	return c
}
