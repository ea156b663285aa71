package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Inspection is all that the tables hold of a project, as of one moment. It is for one goroutine.
type Inspection struct {
	Project    int64
	Exists     bool  // the project does
	Head       int64 // offset of the journal's last entry; 0 where there is none
	PackedTo   int64
	KeptSince  time.Time   // what is older may be gone: see KeptSince
	ChunkFrom  []time.Time // months that chunk has partitions for, in order
	Doubles    []int64     // versions of chunks that are there twice, some of them
	Journal    *Scan[Entry]
	Young      *Scan[YoungRow]       // without payloads, by first series and part; see Payloads
	Chunks     *Scan[InspectedChunk] // by series and time
	RollupDay  *Scan[Rollup]         // by series and start
	RollupHour *Scan[Rollup]
	Latest     *Scan[Newest] // by series

	tx pgx.Tx
}

// InspectedChunk is a row of chunk.
type InspectedChunk struct {
	ChunkKey
	Payload []byte
}

// Inspect calls use with what is stored of a project. It holds one transaction meanwhile, which locks nothing and sees
// nothing of what is written after it began. It ends with use's error, as it is; its own are faults.
func Inspect(ctx context.Context, pool *pgxpool.Pool, project int64, now time.Time, use func(*Inspection) error) error {
	return Maintain(ctx, pool, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return Fault(fmt.Errorf("begin to inspect project %d: %w", project, err))
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it was only read
		i := &Inspection{Project: project, tx: tx}
		if err := i.begin(ctx, now); err != nil {
			return Fault(fmt.Errorf("begin to inspect project %d: %w", project, err))
		}
		return use(i)
	})
}

func (i *Inspection) begin(ctx context.Context, now time.Time) error {
	var head, packedTo *int64
	var days *int
	err := i.tx.QueryRow(ctx, `select
			(select head from journal_head where project_id = $1),
			(select packed_to from packing where project_id = $1),
			(select keep_readings_days from projects where id = $1)`, i.Project).
		Scan(&head, &packedTo, &days)
	if err != nil {
		return err
	}
	if head != nil {
		i.Head = *head
	}
	if packedTo != nil {
		i.PackedTo = *packedTo
	}
	if i.Exists = days != nil; i.Exists {
		i.KeptSince = KeptSince(now, *days)
	}
	rows, err := i.tx.Query(ctx, `select to_date(right(c.relname, 6), 'YYYYMM')::timestamp
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'chunk'::regclass and not i.inhdetachpending and c.relname ~ '^chunk_[0-9]{6}$' order by 1`)
	if err == nil {
		i.ChunkFrom, err = pgx.CollectRows(rows, pgx.RowTo[time.Time])
	}
	if err != nil {
		return err
	}
	rows, err = i.tx.Query(ctx, `select version from chunk where project_id = $1 group by version having count(*) > 1 order by 1 limit 10`, i.Project)
	if err == nil {
		i.Doubles, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	i.Journal = newScan(i, "journal", `select "offset", at, kind, count, payload from journal where project_id = %d order by "offset"`, 16, scanEntry)
	i.Young = newScan(i, "young", youngKeys+`where project_id = %d order by first_series, part, day, upto`, 512, scanInspectedYoung)
	i.Chunks = newScan(i, "chunk", `select series_id, first_time, last_time, version, count, payload from chunk
		where project_id = %d order by series_id, first_time, last_time`, 128, scanInspectedChunk)
	const rollups = `select series_id, start, count, sum, m2, min, max, first, last, first_at, last_at, sketch, area, increase from %s where project_id = %%d order by series_id, start`
	i.RollupDay = newScan(i, "rollup_day", fmt.Sprintf(rollups, "rollup_day"), 512, scanRollup)
	i.RollupHour = newScan(i, "rollup_hour", fmt.Sprintf(rollups, "rollup_hour"), 512, scanRollup)
	i.Latest = newScan(i, "latest", `select project_id, series_id, "offset", "time", coalesce(value, 'NaN') from latest
		where project_id = %d order by series_id`, 1024, scanNewest)
	return err
}

// Payloads fills in the payloads of rows of young, which Young has given.
func (i *Inspection) Payloads(ctx context.Context, rows []YoungRow) error {
	err := ReadYoung(ctx, i.tx, i.Project, rows, func(at int, payload []byte) error {
		rows[at].Payload = append([]byte(nil), payload...)
		return nil
	})
	return Fault(err)
}

// Scan gives the rows of a query one after the other, a page of them at a time.
type Scan[T any] struct {
	inspection *Inspection
	name       string
	query      string
	size       int
	scan       pgx.RowToFunc[T]

	open bool
	end  bool
	page []T
}

func newScan[T any](i *Inspection, name, query string, size int, scan pgx.RowToFunc[T]) *Scan[T] {
	return &Scan[T]{inspection: i, name: name, query: fmt.Sprintf(query, i.Project), size: size, scan: scan}
}

// Peek returns the next row, nil when there is none left, until Next. Errors are faults.
func (s *Scan[T]) Peek(ctx context.Context) (*T, error) {
	if len(s.page) == 0 && !s.end {
		if err := s.turn(ctx); err != nil {
			return nil, Fault(fmt.Errorf("inspect %s: %w", s.name, err))
		}
	}
	if len(s.page) == 0 {
		return nil, nil
	}
	return &s.page[0], nil
}

// Next goes on behind the row that Peek returned.
func (s *Scan[T]) Next() { s.page = s.page[1:] }

func (s *Scan[T]) turn(ctx context.Context) error {
	if !s.open {
		if _, err := s.inspection.tx.Exec(ctx, `declare inspect_`+s.name+` no scroll cursor for `+s.query); err != nil {
			return err
		}
		s.open = true
	}
	rows, err := s.inspection.tx.Query(ctx, fmt.Sprintf(`fetch %d from inspect_%s`, s.size, s.name))
	if err == nil {
		s.page, err = pgx.CollectRows(rows, s.scan)
	}
	s.end = len(s.page) < s.size
	return err
}

func scanInspectedYoung(row pgx.CollectableRow) (r YoungRow, err error) {
	return r, row.Scan(&r.Day, &r.Block, &r.FirstSeries, &r.LastSeries, &r.Upto, &r.Since, &r.Part, &r.Parts, &r.Tier,
		&r.FirstTime, &r.LastTime, &r.Count, &r.At)
}

func scanInspectedChunk(row pgx.CollectableRow) (c InspectedChunk, err error) {
	return c, row.Scan(&c.Series, &c.First, &c.Last, &c.Version, &c.Count, &c.Payload)
}

func scanRollup(row pgx.CollectableRow) (r Rollup, err error) {
	var start, first, last time.Time
	err = row.Scan(&r.Series, &start, &r.Count, &r.Sum, &r.M2, &r.Min, &r.Max, &r.First, &r.Last, &first, &last, &r.Sketch, &r.Area, &r.Increase)
	r.Start, r.FirstAt, r.LastAt = start.UnixMicro(), first.UnixMicro(), last.UnixMicro()
	return r, err
}

func scanNewest(row pgx.CollectableRow) (n Newest, err error) {
	var at *time.Time
	err = row.Scan(&n.Project, &n.Series, &n.Offset, &at, &n.Value)
	if n.None = at == nil; !n.None {
		n.Time = at.UnixMicro()
	}
	return n, err
}

// Projects returns the ids of all projects, in order. Faults: as Fault.
func Projects(ctx context.Context, pool *pgxpool.Pool) ([]int64, error) {
	rows, err := pool.Query(ctx, `select id from projects order by id`)
	if err == nil {
		var ids []int64
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err == nil {
			return ids, nil
		}
	}
	return nil, Fault(fmt.Errorf("list the projects: %w", err))
}
