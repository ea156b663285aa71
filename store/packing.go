package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/reading"
)

// lockPacking marks the advisory locks of projects that are being packed: it stands in the highest byte of a key whose
// rest is the project's id. (A key of one number never meets the keys of two numbers that partition.go takes.)
const lockPacking = 0x70 << 56

// TryPacking takes, until the end of tx, the lock that whoever packs or settles the project holds; ok is false when
// somebody else has it. Errors are PostgreSQL's own; see Fault.
func TryPacking(ctx context.Context, tx pgx.Tx, project int64) (ok bool, err error) {
	if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock($1)`, lockPacking|project).Scan(&ok); err != nil {
		return false, fmt.Errorf("lock the packing of project %d: %w", project, err)
	}
	return ok, nil
}

// PackedTo returns the offset up to which the project's journal is packed, and that of its last entry; both are 0 for a
// project without a journal. Errors are PostgreSQL's own; see Fault.
func PackedTo(ctx context.Context, tx pgx.Tx, project int64) (packedTo, head int64, err error) {
	err = tx.QueryRow(ctx, `select coalesce(p.packed_to, 0), h.head
		from journal_head h left join packing p using (project_id) where project_id = $1`, project).Scan(&packedTo, &head)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, fmt.Errorf("read how far project %d is packed: %w", project, err)
	}
	return packedTo, head, nil
}

// SetPackedTo says that the project's journal is packed up to the offset upto. Errors are PostgreSQL's own; see Fault.
func SetPackedTo(ctx context.Context, tx pgx.Tx, project, upto int64) error {
	if _, err := tx.Exec(ctx, `insert into packing (project_id, packed_to) values ($1, $2)
		on conflict (project_id) do update set packed_to = excluded.packed_to`, project, upto); err != nil {
		return fmt.Errorf("say how far project %d is packed: %w", project, err)
	}
	return nil
}

// Unpacked returns the projects whose journals have entries that are not packed. Errors are PostgreSQL's own; see Fault.
func Unpacked(ctx context.Context, pool *pgxpool.Pool) (projects []int64, err error) {
	rows, err := pool.Query(ctx, `select h.project_id from journal_head h left join packing p using (project_id)
		where h.head > coalesce(p.packed_to, 0) order by 1`)
	if err == nil {
		projects, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil {
		return nil, fmt.Errorf("list the projects with unpacked entries: %w", err)
	}
	return projects, nil
}

// A stretch ends with the entry that fills it; payloads are not looked at.
const stretch = `
	select coalesce(max("offset"), $2), coalesce(sum(count), 0) from (
		select "offset", count, sum(count) over (order by "offset") - count as before
		from (
			select "offset", count from journal where project_id = $1 and "offset" > $2 order by "offset" limit $3
		) page
	) sized
	where before < $4`

// Stretch returns the end of the next stretch of the project's journal behind the offset after, and how many readings and
// deletions it holds: at most maxEntries entries, and so many that the last one begins below maxCount. When there are no
// more entries, end is after. Errors are PostgreSQL's own; see Fault.
func Stretch(ctx context.Context, tx pgx.Tx, project, after int64, maxEntries, maxCount int) (end int64, count int, err error) {
	if err := tx.QueryRow(ctx, stretch, project, after, maxEntries, maxCount).Scan(&end, &count); err != nil {
		return after, 0, fmt.Errorf("read the journal of project %d: %w", project, err)
	}
	return end, count, nil
}

// ReadStretch calls use with the project's entries behind the offset after, up to the offset end, in order. The payload is
// valid during the call alone. It ends with the first error of use, as it is. Its own errors are PostgreSQL's; see Fault.
func ReadStretch(ctx context.Context, tx pgx.Tx, project, after, end int64, use func(Entry) error) error {
	rows, err := tx.Query(ctx, `select "offset", at, kind, count, payload from journal
		where project_id = $1 and "offset" > $2 and "offset" <= $3 order by "offset"`, project, after, end)
	if err != nil {
		return fmt.Errorf("read the journal of project %d: %w", project, err)
	}
	var e Entry
	var used error
	_, err = pgx.ForEachRow(rows, []any{&e.Offset, &e.At, &e.Kind, &e.Count, (*payloadBytes)(&e.Payload)}, func() error {
		e.At = e.At.UTC()
		used = use(e)
		return used
	})
	if err != nil && used == nil {
		return fmt.Errorf("read the journal of project %d: %w", project, err)
	}
	return used
}

// LatestOf returns the rows of table latest that those of the series have; None where a row says so. Errors are
// PostgreSQL's own; see Fault.
func LatestOf(ctx context.Context, tx pgx.Tx, project int64, series []int64) ([]Newest, error) {
	rows, err := tx.Query(ctx, `select series_id, "offset", "time", coalesce(value, 0)
		from unnest($2::bigint[]) as wanted (series_id) join latest using (series_id) where project_id = $1`, project, series)
	if err == nil {
		var found []Newest
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Newest, error) {
			n := Newest{Project: project}
			var at *time.Time
			err := row.Scan(&n.Series, &n.Offset, &at, &n.Value)
			if at == nil {
				n.None = true
			} else {
				n.Time = at.UnixMicro()
			}
			return n, err
		})
		if err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("read the latest readings of project %d: %w", project, err)
}

// PackedNewest is the newest reading of a series as of a batch of packed entries.
type PackedNewest struct {
	Reading reading.Reading
	None    bool // the series has no reading; Reading.Time and Reading.Value mean nothing
	// Certain says that it counts whatever the table says. Otherwise it is the newest reading of the batch alone, and a row
	// that has a newer one stays.
	Certain bool
}

// packLatest is putLatest for news of one offset; see there for the look and the order. A row that says the same already
// stays as it is. The arrays are of numbers alone, which are the fastest to send: times in µs, and NaN for no reading.
// (An interval is multiplied by a float8, which is exact up to the year 2255.)
const packLatest = `
	insert into latest (project_id, series_id, "offset", "time", value)
	select $1, series_id, $2, news."time", news.value
	from unnest($3::bigint[], $4::bigint[], $5::float8[]) as sent (series_id, micros, number)
	cross join lateral (
		select nullif(number, 'NaN') as value,
			case when number <> 'NaN' then timestamptz 'epoch' + micros * interval '1 microsecond' end as "time"
	) news
	left join lateral (
		select "offset", "time", value from latest where project_id = $1 and series_id = sent.series_id offset 0
	) old on true
	where old."offset" is null or old."offset" < $2 and (
		series_id = any ($6) or old."time" is null
		or news."time" > old."time"
		or news."time" = old."time" and float8send(news.value) <> float8send(old.value)) -- -0 is not 0
	order by series_id
	on conflict (project_id, series_id) do update
		set "offset" = excluded."offset", "time" = excluded."time", value = excluded.value
		where excluded."offset" > latest."offset"`

// PackLatest brings the table latest up to date with what is newest of a project as of offset: one row a series, in any
// order. As with PutLatest, a row of the same offset or a higher one stays, and it is to be called once in a transaction,
// near its end. Errors are PostgreSQL's own; see Fault.
func PackLatest(ctx context.Context, tx pgx.Tx, project, offset int64, news []PackedNewest) error {
	if len(news) == 0 {
		return nil
	}
	n := len(news)
	series, times, values := make([]int64, n), make([]int64, n), make([]float64, n)
	var certain []int64
	for i, r := range news {
		series[i], times[i], values[i] = r.Reading.Series, r.Reading.Time, r.Reading.Value
		if r.None {
			values[i] = math.NaN()
		}
		if r.Certain {
			certain = append(certain, r.Reading.Series)
		}
	}
	if _, err := tx.Exec(ctx, packLatest, project, offset, series, times, values, certain); err != nil {
		return fmt.Errorf("write %d latest readings: %w", n, err)
	}
	return nil
}
