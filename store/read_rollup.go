package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Rolled is what is rolled up of a project, as of one moment: its rows stay readable, as they were then, until Close. It
// holds a connection and is for one goroutine.
type Rolled struct {
	To        int64          // the offset up to which the project's journal is packed
	Unsettled []UnsettledRow // rows of young that are in no rollup yet, of the series and days that were asked for

	project   int64
	series    []int64
	conn      *pgxpool.Conn
	over      bool               // the transaction is
	keptSince int64              // µs
	months    map[time.Time]bool // that chunk has partitions for
}

// UnsettledRow is what a row of young of a tier below TierSettled may hold.
type UnsettledRow struct {
	Day                     int64 // the beginning of its UTC day, µs
	FirstSeries, LastSeries int64
}

// RolledColumns says what is read of rollups.
type RolledColumns struct {
	Plain    bool // of the summary, only what stats.Summary.Plain leaves
	Sketches bool // Sketch, which is empty otherwise
	Lines    bool // Area and Increase, which are NaN otherwise
}

const findUnsettled = `
	select distinct day, first_series, last_series
	from unnest($4::bigint[], $5::bigint[], $6::bigint[]) as wanted (block, lowest, highest)
	join young using (block)
	where project_id = $1 and day >= $2 and day < $3 and tier < 2
		and first_series <= wanted.highest and last_series >= wanted.lowest`

// What KeptSince says, by the clock by which readings are dropped.
const findKeptSince = `
	select date_trunc('month', now() at time zone 'UTC' - keep_readings_days * interval '1 day')
	from projects where id = $1 and keep_readings_days > 0`

const findChunkMonths = `
	select to_date(right(c.relname, 6), 'YYYYMM')
	from pg_inherits i join pg_class c on c.oid = i.inhrelid
	where i.inhparent = 'chunk'::regclass and not i.inhdetachpending and c.relname ~ '^chunk_[0-9]{6}$'`

// FindRolled begins to read what is rolled up of series (ascending, distinct) of a project, and looks for what is not of
// them on the UTC days from from to to (µs, to excluded), in one round trip. The caller closes what it returns. Errors are
// PostgreSQL's own; see Fault.
func FindRolled(ctx context.Context, pool *pgxpool.Pool, project int64, series []int64, from, to int64) (*Rolled, error) {
	return beginRolled(ctx, pool, project, series, func(r *Rolled, b *pgx.Batch) { r.queue(b, from, to) })
}

// DayRows says how FindRolledDays reads the rollups of days.
type DayRows struct {
	Columns RolledColumns
	Last    bool                // nothing else is read: the Rolled is over
	Found   func(*Rolled) error // called first, when all but those rollups is known
	Use     func(*Rollup) error // called with each, in any order; it is valid during the call
}

// FindRolledDays is FindRolled that also reads the rollups of the UTC days that begin between from and to, in the same
// round trip. It stops at the first error of a call and returns it, wrapped.
func FindRolledDays(
	ctx context.Context, pool *pgxpool.Pool, project int64, series []int64, from, to int64, days DayRows,
) (*Rolled, error) {
	return beginRolled(ctx, pool, project, series, func(r *Rolled, b *pgx.Batch) {
		r.queue(b, from, to)
		r.queueDays(b, from, to, days)
		if r.over = days.Last; r.over {
			b.Queue(`commit`)
		}
	})
}

func beginRolled(
	ctx context.Context, pool *pgxpool.Pool, project int64, series []int64, queue func(*Rolled, *pgx.Batch),
) (*Rolled, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire a connection: %w", err)
	}
	r := &Rolled{project: project, series: series, conn: conn, keptSince: math.MinInt64, months: map[time.Time]bool{}}
	var b pgx.Batch
	queue(r, &b)
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		conn.Release() // the pool closes it if it is still in the transaction
		return nil, fmt.Errorf("find what is rolled up of project %d: %w", project, err)
	}
	return r, nil
}

func (r *Rolled) queue(b *pgx.Batch, from, to int64) {
	blocks, lowest, highest := blocksOf(r.series)
	b.Queue(beginSnapshot)
	b.Queue(snapshotSettings)
	b.Queue(findPackedTo, r.project).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&r.To}, func() error { return nil })
		return err
	})
	b.Queue(findUnsettled, r.project, utcDay(from), utcDay(to), blocks, lowest, highest).Query(func(rows pgx.Rows) error {
		var day time.Time
		var row UnsettledRow
		_, err := pgx.ForEachRow(rows, []any{&day, &row.FirstSeries, &row.LastSeries}, func() error {
			row.Day = day.UnixMicro()
			r.Unsettled = append(r.Unsettled, row)
			return nil
		})
		return err
	})
	var at time.Time
	b.Queue(findKeptSince, r.project).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&at}, func() error { r.keptSince = at.UnixMicro(); return nil })
		return err
	})
	b.Queue(findChunkMonths).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&at}, func() error { r.months[at] = true; return nil })
		return err
	})
}

// Gone reports whether readings of a UTC day that has rollups may have gone by age, so that only those tell of them; day
// is its beginning (µs).
func (r *Rolled) Gone(day int64) bool {
	return day < r.keptSince || !r.months[time.UnixMicro(monthStart(day)).UTC()]
}

// A statement for each choice of columns. Generic plans leave out partitions by the bounds when they begin.
//
// Days are written day by day, so they are read in the order in which they lie, by a bitmap: by the index, series by series,
// it takes half as long again. Hours of a day lie together as they are wanted.
const (
	readRolledDays = `
		select %s from rollup_day
		where project_id = $1 and series_id = any ($2) and start >= $3 and start < $4`
	readRolledHours = `
		select r.*
		from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[]) as wanted (series, low, high)
		cross join lateral (
			select %s from rollup_hour
			where project_id = $1 and series_id = wanted.series and start >= wanted.low and start < wanted.high
				and start >= $5 and start < $6
			order by start
		) r`
)

func (r *Rolled) queueDays(b *pgx.Batch, from, to int64, days DayRows) {
	b.Queue(`set local enable_indexscan = off`)
	b.Queue(fmt.Sprintf(readRolledDays, days.Columns.list()), r.project, r.series, instant(from), instant(to)).
		Query(func(rows pgx.Rows) error {
			defer rows.Close()
			if err := days.Found(r); err != nil {
				return err
			}
			return days.Columns.each(rows, days.Use)
		})
	if !days.Last {
		b.Queue(`set local enable_indexscan = on`)
	}
}

// Hours calls use with the rollups of the hours that begin in the spans, span by span, in the order of time. A
// rollup is valid during the call. It stops at the first error of use and returns it, wrapped; its own are PostgreSQL's, see
// Fault.
func (r *Rolled) Hours(ctx context.Context, spans []SeriesSpan, columns RolledColumns, use func(*Rollup) error) error {
	if len(spans) == 0 {
		return nil
	}
	series, low, high := make([]int64, len(spans)), make([]time.Time, len(spans)), make([]time.Time, len(spans))
	lowest, highest := spans[0].From, spans[0].To
	for i, s := range spans {
		series[i], low[i], high[i] = s.Series, instant(s.From), instant(s.To)
		lowest, highest = min(lowest, s.From), max(highest, s.To)
	}
	rows, err := r.conn.Query(ctx, fmt.Sprintf(readRolledHours, columns.list()),
		r.project, series, low, high, instant(lowest), instant(highest))
	if err == nil {
		err = columns.each(rows, use)
	}
	if err != nil {
		return fmt.Errorf("read the rollups of hours of project %d: %w", r.project, err)
	}
	return nil
}

// instant returns a time (µs) as PostgreSQL takes it.
func instant(t int64) time.Time { return time.UnixMicro(min(max(t, firstDate), lastDate)) }

func (c RolledColumns) list() string {
	list := `series_id, start, count, sum, min, max`
	if !c.Plain {
		list += `, m2, first, last, first_at, last_at`
	}
	if c.Lines {
		list += `, area, increase`
	}
	if c.Sketches {
		list += `, sketch`
	}
	return list
}

// each decodes rows by hand: there may be a million, and all columns are numbers of 4 or 8 bytes but the last.
func (c RolledColumns) each(rows pgx.Rows, use func(*Rollup) error) error {
	defer rows.Close()
	for _, f := range rows.FieldDescriptions() {
		if f.Format != pgx.BinaryFormatCode {
			return fmt.Errorf("column %s comes as text", f.Name)
		}
	}
	var rollup Rollup
	_, err := pgx.ForEachRow(rows, []any{rolledRow{c, &rollup}}, func() error { return use(&rollup) })
	return err
}

// rolledRow is a pgx.RowScanner.
type rolledRow struct {
	columns RolledColumns
	into    *Rollup
}

// ScanRow implements pgx.RowScanner.
func (r rolledRow) ScanRow(rows pgx.Rows) error { return r.columns.decode(r.into, rows.RawValues()) }

var errNotARollup = errors.New("a row is not a rollup's")

// decode reads a row of the columns of list, in PostgreSQL's binary format.
func (c RolledColumns) decode(r *Rollup, row [][]byte) error {
	fixed := 6
	if !c.Plain {
		fixed += 5
	}
	if c.Lines {
		fixed += 2
	}
	if len(row) < fixed || c.Sketches && len(row) == fixed {
		return errNotARollup
	}
	for i, v := range row[:fixed] {
		if i == 2 && len(v) != 4 || i != 2 && len(v) != 8 {
			return errNotARollup
		}
	}
	bigint := func(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) }
	double := func(v []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(v)) }
	*r = Rollup{Series: bigint(row[0]), Start: bigint(row[1]) + epoch, Area: math.NaN(), Increase: math.NaN()}
	r.Count = int(int32(binary.BigEndian.Uint32(row[2])))
	r.Sum, r.Min, r.Max, row = double(row[3]), double(row[4]), double(row[5]), row[6:]
	if !c.Plain {
		r.M2, r.First, r.Last = double(row[0]), double(row[1]), double(row[2])
		r.FirstAt, r.LastAt, row = bigint(row[3])+epoch, bigint(row[4])+epoch, row[5:]
	}
	if c.Lines {
		r.Area, r.Increase, row = double(row[0]), double(row[1]), row[2:]
	}
	if c.Sketches {
		r.Sketch = row[0]
	}
	return nil
}

const firstRolledDays = `
	select r.*
	from unnest($2::bigint[], $3::timestamptz[]) as wanted (series, low)
	cross join lateral (
		select series_id, start, first_at from rollup_day
		where project_id = $1 and series_id = wanted.series and start >= wanted.low
		order by start limit 1
	) r`

// FirstDays returns, of each of the series, the first rollup of a day that begins at from (µs) of the same place or later:
// Series, Start and FirstAt of it; those that have none are left out. Errors are PostgreSQL's own; see Fault.
func (r *Rolled) FirstDays(ctx context.Context, series, from []int64) ([]Rollup, error) {
	low := make([]time.Time, len(from))
	for i, t := range from {
		low[i] = instant(t)
	}
	rows, err := r.conn.Query(ctx, firstRolledDays, r.project, series, low)
	if err == nil {
		var found []Rollup
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (first Rollup, err error) {
			var start, at time.Time
			err = row.Scan(&first.Series, &start, &at)
			first.Start, first.FirstAt = start.UnixMicro(), at.UnixMicro()
			return first, err
		})
		if err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("find the first rollups of project %d: %w", r.project, err)
}

// Close gives the connection back.
func (r *Rolled) Close(ctx context.Context) {
	if !r.over {
		_, _ = r.conn.Exec(ctx, `commit`) // when it fails, Release closes the connection
	}
	r.conn.Release()
}
