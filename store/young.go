package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The tiers of young's rows.
const (
	TierPacked  int16 = 0 // from the journal
	TierMerged  int16 = 1 // of many runs of tier 0
	TierSettled int16 = 2 // of a day that is over; in the rollups
)

// YoungBlock returns the block of a series: that of its neighbours, which share rows of young.
func YoungBlock(series int64) int64 { return series >> blockBits }

// BlockSeries is how many series a block of young has room for.
const BlockSeries = 1 << blockBits

// YoungRow is a row of young. A run is the rows of one day, block and upto: parts 1 to Parts, by series and time.
type YoungRow struct {
	Day                     time.Time // UTC midnight
	Block                   int64
	FirstSeries, LastSeries int64
	Upto, Since             int64 // it holds readings of the entries Since < offset <= Upto
	Part, Parts             int
	Tier                    int16
	FirstTime, LastTime     int64 // the least and the greatest, µs
	Count                   int
	Payload                 []byte // reading.Compact; nil where only keys were asked for

	// At is where the row stands, for ReadYoung, DropYoung and RenumberYoung in the transaction that found it. Only whoever
	// holds the packing lock numbers rows anew, which moves them, and changes nothing else of them; only it, and whoever drops
	// what is not kept any longer, deletes them.
	At pgtype.TID
}

var youngColumns = []string{
	"project_id", "day", "block", "first_series", "last_series", "upto", "part", "parts", "since", "tier",
	"first_time", "last_time", "count", "payload",
}

var copyYoung = copyStatement("young", youngColumns)

// daysOf returns a UTC midnight as a date is sent: in days since 2000.
func daysOf(day time.Time) int {
	const perDay = 24 * 60 * 60
	return int((day.Unix() - epoch/1_000_000) / perDay)
}

// CopyYoung adds rows to young. Errors are PostgreSQL's own; see Fault.
func CopyYoung(ctx context.Context, tx pgx.Tx, project int64, rows []YoungRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := copyRows(ctx, tx, copyYoung, len(rows), func(t tuple, i int) tuple {
		r := &rows[i]
		t = t.columns(len(youngColumns)).bigint(project).integer(daysOf(r.Day)).bigint(r.Block)
		t = t.bigint(r.FirstSeries).bigint(r.LastSeries).bigint(r.Upto).integer(r.Part).integer(r.Parts).bigint(r.Since)
		return t.smallint(r.Tier).bigint(r.FirstTime).bigint(r.LastTime).integer(r.Count).bytes(r.Payload)
	})
	if err != nil {
		return fmt.Errorf("write %d rows of young: %w", len(rows), err)
	}
	return nil
}

const youngKeys = `select day, block, first_series, last_series, upto, since, part, parts, tier, first_time, last_time, count, ctid from young `

// FindYoung returns the keys of a block's rows from the day first to the day last, both included, of the tiers given; in
// no particular order. Errors are PostgreSQL's own; see Fault.
func FindYoung(
	ctx context.Context, tx pgx.Tx, project int64, first, last time.Time, block int64, tiers ...int16,
) ([]YoungRow, error) {
	const find = youngKeys + `where project_id = $1 and day between $2 and $3 and block = $4 and tier = any ($5)`
	return collectYoung(tx.Query(ctx, find, project, first, last, block, tiers))
}

// FindYoungOf returns the keys of all rows of a block that have a series between lowest and highest, both included, and a
// time between from and to (µs), both included; in no particular order. Errors are PostgreSQL's own; see Fault.
func FindYoungOf(
	ctx context.Context, tx pgx.Tx, project, block, lowest, highest, from, to int64,
) ([]YoungRow, error) {
	const find = youngKeys + `where project_id = $1 and day between $2 and $3 and block = $4
		and first_series <= $6 and last_series >= $5 and first_time <= $8 and last_time >= $7`
	return collectYoung(tx.Query(ctx, find, project, utcDay(from), utcDay(to), block, lowest, highest, from, to))
}

func collectYoung(rows pgx.Rows, err error) ([]YoungRow, error) {
	var found []YoungRow
	if err == nil {
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r YoungRow, err error) {
			return r, row.Scan(&r.Day, &r.Block, &r.FirstSeries, &r.LastSeries, &r.Upto, &r.Since, &r.Part, &r.Parts,
				&r.Tier, &r.FirstTime, &r.LastTime, &r.Count, &r.At)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("find rows of young: %w", err)
	}
	return found, nil
}

// ReadYoung calls use with the payload of each of the rows, which this transaction found, in any order; i is the row's
// place in rows. A payload is valid during the call alone. It ends with the first error of use, as it is; its own errors are
// PostgreSQL's, see Fault.
func ReadYoung(ctx context.Context, tx pgx.Tx, project int64, rows []YoungRow, use func(i int, payload []byte) error) error {
	if len(rows) == 0 {
		return nil
	}
	at, places := make([]pgtype.TID, len(rows)), make(map[pgtype.TID]int, len(rows))
	for i, r := range rows {
		at[i], places[r.At] = r.At, i
	}
	found, err := tx.Query(ctx, `select ctid, payload from young where ctid = any ($2) and project_id = $1`, project, at)
	if err != nil {
		return fmt.Errorf("read rows of young: %w", err)
	}
	var where pgtype.TID
	var payload payloadBytes
	var used error
	tag, err := pgx.ForEachRow(found, []any{&where, &payload}, func() error {
		used = use(places[where], payload)
		return used
	})
	switch {
	case used != nil:
		return used
	case err != nil:
		return fmt.Errorf("read rows of young: %w", err)
	case tag.RowsAffected() != int64(len(rows)):
		return fmt.Errorf("read rows of young: %d of %d are gone", int64(len(rows))-tag.RowsAffected(), len(rows))
	}
	return nil
}

// DropYoung deletes rows that this transaction found. Errors are PostgreSQL's own; see Fault.
func DropYoung(ctx context.Context, tx pgx.Tx, project int64, rows []YoungRow) error {
	if len(rows) == 0 {
		return nil
	}
	at := make([]pgtype.TID, len(rows))
	for i, r := range rows {
		at[i] = r.At
	}
	if _, err := tx.Exec(ctx, `delete from young where ctid = any ($2) and project_id = $1`, project, at); err != nil {
		return fmt.Errorf("delete rows of young: %w", err)
	}
	return nil
}

// RenumberYoung gives rows that this transaction found, and nothing else of them, the Part and Parts that they have now. They
// stand elsewhere then. The rows of a run must come in their order, with numbers no higher than they had. Errors are
// PostgreSQL's own; see Fault.
func RenumberYoung(ctx context.Context, tx pgx.Tx, project int64, rows []YoungRow) error {
	if len(rows) == 0 {
		return nil
	}
	// One statement would meet the numbers of rows that it has not come to yet: those of one series share the rest of the key.
	var b pgx.Batch
	for _, r := range rows {
		b.Queue(`update young set part = $3, parts = $4 where ctid = $2 and project_id = $1`, project, r.At, r.Part, r.Parts)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("number rows of young: %w", err)
	}
	return nil
}

// DayBlock is a block of a project on a day, or in a month, which is then named by its first day.
type DayBlock struct {
	Project int64
	Day     time.Time // UTC midnight
	Block   int64
}

// Fragmented returns the blocks that have at least runs runs of TierPacked on one of the days. Errors are PostgreSQL's
// own; see Fault.
func Fragmented(ctx context.Context, pool *pgxpool.Pool, project int64, days []time.Time, runs int) ([]DayBlock, error) {
	rows, err := pool.Query(ctx, `select project_id, day, block from young
		where project_id = $1 and day = any ($2) and tier = 0
		group by project_id, day, block having count(distinct upto) >= $3 order by day, block`, project, days, runs)
	return collectBlocks(rows, err)
}

// Unsettled returns the days before the day before, and their blocks, that have rows of other tiers than TierSettled; of
// all projects when project is 0. Errors are PostgreSQL's own; see Fault.
func Unsettled(ctx context.Context, pool *pgxpool.Pool, project int64, before time.Time) ([]DayBlock, error) {
	rows, err := pool.Query(ctx, `select distinct project_id, day, block from young join projects p on p.id = project_id
		where tier < 2 and day < $2 and ($1::bigint = 0 or project_id = $1) and `+settles+` order by 1, 2, 3`, project, before)
	return collectBlocks(rows, err)
}

// Unclosed returns the months that end at the day before or earlier, and their blocks, that have rows; of all projects
// when project is 0. Errors are PostgreSQL's own; see Fault.
func Unclosed(ctx context.Context, pool *pgxpool.Pool, project int64, before time.Time) ([]DayBlock, error) {
	rows, err := pool.Query(ctx, `select distinct project_id, date_trunc('month', day::timestamp)::date, block from young
		join projects p on p.id = project_id
		where day < $2 and ($1::bigint = 0 or project_id = $1) and `+settles+` order by 1, 2, 3`, project, before)
	return collectBlocks(rows, err)
}

// settles is the condition that what a day of project p is settled into will be kept: where readings have gone by age, what
// comes late must not replace the rollups of what was there. Two days are for the time between two rounds of a keeper.
const (
	settles      = `(p.keep_readings_days = 0 or day >= ` + settledSince + `)`
	settledSince = `date_trunc('month', ($2::date + 2 - p.keep_readings_days::int)::timestamp)::date`
)

// SettledSince returns the first day whose rollups may be computed from what the project has of readings, of the days
// before the day before; those of earlier days may sum up readings that have gone by age. It is the zero time where readings
// are kept for ever. Errors are PostgreSQL's own; see Fault.
func SettledSince(ctx context.Context, tx pgx.Tx, project int64, before time.Time) (time.Time, error) {
	const query = `select ` + settledSince + ` from projects p where p.id = $1 and p.keep_readings_days > 0`
	var since time.Time
	err := tx.QueryRow(ctx, query, project, before).Scan(&since)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return since, fmt.Errorf("ask since when readings of project %d are kept: %w", project, err)
	}
	return since, nil
}

func collectBlocks(rows pgx.Rows, err error) ([]DayBlock, error) {
	var found []DayBlock
	if err == nil {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[DayBlock])
	}
	if err != nil {
		return nil, fmt.Errorf("list what is young: %w", err)
	}
	return found, nil
}
