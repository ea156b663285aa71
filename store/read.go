package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Wanted says of which packed readings the rows are looked for: those of series of one project with
// From <= time < To (µs).
type Wanted struct {
	Project  int64
	Series   []int64 // ascending, distinct
	From, To int64
	// MaxChunks is how many chunks that begin at From or later are found of each series: the first ones.
	MaxChunks int
	// MaxYoung is how many rows of young are found in all: those that begin first, and with them all that begin no later than
	// the last of them, or at From or earlier. 0 = all.
	MaxYoung int
	// MaxRows is how many chunks, and without MaxYoung how many rows of young, are found in all: any of them.
	MaxRows int
}

// ChunkKey is a row of chunk without its readings.
type ChunkKey struct {
	Series      int64
	First, Last int64 // times of its first and its last reading, µs
	Version     int64 // names its bytes: a row that is rewritten has another
	Count       int   // readings
}

// YoungKey is a row of young without its readings.
type YoungKey struct {
	Day         time.Time
	Block       int64
	FirstSeries int64
	LastSeries  int64
	Upto        int64
	Part        int32
	First, Last int64  // the least and the greatest time in it, µs
	Version     uint32 // together with the rest it names its bytes: a row that is rewritten has another
	Count       int    // readings
}

// Packed is what of Wanted is packed, as of one moment. Its rows stay readable, as they were then, until Close. It holds
// a connection and is for one goroutine.
type Packed struct {
	To     int64      // the offset up to which the project's journal is packed
	Chunks []ChunkKey // by series, then time
	Young  []YoungKey // by day, upto and part: where two rows hold the same reading, that of the later one is right

	project int64
	conn    *pgxpool.Conn
	over    bool // the transaction is
}

const beginSnapshot = `begin isolation level repeatable read read only`

// snapshotSettings make plans that are good for all arguments and for as long as the connection lives. Planning for the
// arguments would take longer than most reads; and what the planner makes of a table that was empty or not analysed yet
// would do harm when it has grown, so it is held to the order of the keys: by those every statement of a snapshot finds
// its rows.
const snapshotSettings = `
	select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
		set_config('enable_sort', 'off', true)`

const findPackedTo = `select packed_to from packing where project_id = $1`

// findChunks looks back for the one chunk of a series that may reach into the range: rows of a series do not overlap.
// None crosses a month, so no partition before that of the range's beginning is looked at.
const findChunks = `
	select wanted.series, c.*
	from unnest($2::bigint[]) as wanted (series)
	cross join lateral (
		(
			select * from (
				select first_time, last_time, version, count from chunk
				where project_id = $1 and series_id = wanted.series and first_time >= $3 and first_time < $4
				order by first_time desc limit 1
			) before
			where last_time >= $4
		) union all (
			select first_time, last_time, version, count from chunk
			where project_id = $1 and series_id = wanted.series and first_time >= $4 and first_time < $5
			order by first_time limit $6
		)
	) c
	limit $7`

// youngWithin steps from one day that has rows to the next, so that each day and block costs one descent into the index.
const youngWithin = `
	with recursive present (day) as (
		(select day from young where project_id = $1 and day between $2 and $3 order by day limit 1)
		union all
		select (select y.day from young y where y.project_id = $1 and y.day > present.day and y.day <= $3 order by y.day limit 1)
		from present where present.day is not null
	)
	select y.*
	from present
	cross join unnest($4::bigint[], $5::bigint[], $6::bigint[]) as wanted (block, lowest, highest)
	cross join lateral (
		select day, block, first_series, last_series, upto, part, first_time, last_time, xmin, count
		from young
		where project_id = $1 and day = present.day and block = wanted.block
			and first_series <= wanted.highest and last_series >= wanted.lowest
			and first_time < $8 and last_time >= $7
		offset 0
	) y`

const (
	findYoung      = youngWithin + ` limit $9`
	findFirstYoung = youngWithin + ` order by greatest(y.first_time, $7) fetch first ($9) rows with ties`
)

// FindPacked looks for the rows that may hold what is wanted, in one round trip. The caller closes what it returns.
// Errors are PostgreSQL's own; see Fault.
func FindPacked(ctx context.Context, pool *pgxpool.Pool, w Wanted) (*Packed, error) {
	return findPacked(ctx, pool, w, func(*Packed, *pgx.Batch) {})
}

// findPacked is FindPacked that also asks what is queued by also.
func findPacked(ctx context.Context, pool *pgxpool.Pool, w Wanted, also func(*Packed, *pgx.Batch)) (*Packed, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire a connection: %w", err)
	}
	p := &Packed{project: w.Project, conn: conn}
	var b pgx.Batch
	p.queue(&b, w)
	also(p, &b)
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		conn.Release() // the pool closes it if it is still in the transaction
		return nil, fmt.Errorf("find packed readings of project %d: %w", w.Project, err)
	}
	p.sort()
	return p, nil
}

// queue queues what finds the rows, in a transaction that it begins.
func (p *Packed) queue(b *pgx.Batch, w Wanted) {
	blocks, lowest, highest := blocksOf(w.Series)
	b.Queue(beginSnapshot)
	b.Queue(snapshotSettings)
	b.Queue(findPackedTo, w.Project).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&p.To}, func() error { return nil })
		return err
	})
	b.Queue(findChunks, w.Project, w.Series, monthStart(w.From), w.From, w.To, w.MaxChunks, w.MaxRows).
		Query(func(rows pgx.Rows) error {
			var k ChunkKey
			_, err := pgx.ForEachRow(rows, []any{&k.Series, &k.First, &k.Last, &k.Version, &k.Count}, func() error {
				p.Chunks = append(p.Chunks, k)
				return nil
			})
			return err
		})
	young, maxYoung := findYoung, w.MaxRows
	if w.MaxYoung > 0 {
		young, maxYoung = findFirstYoung, w.MaxYoung
	}
	b.Queue(young, w.Project, utcDay(w.From), utcDay(w.To), blocks, lowest, highest, w.From, w.To, maxYoung).
		Query(func(rows pgx.Rows) error {
			var k YoungKey
			into := []any{&k.Day, &k.Block, &k.FirstSeries, &k.LastSeries, &k.Upto, &k.Part, &k.First, &k.Last, &k.Version, &k.Count}
			_, err := pgx.ForEachRow(rows, into, func() error {
				p.Young = append(p.Young, k)
				return nil
			})
			return err
		})
}

func (p *Packed) sort() {
	slices.SortFunc(p.Chunks, func(a, b ChunkKey) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.First, b.First))
	})
	slices.SortFunc(p.Young, func(a, b YoungKey) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Upto, b.Upto), cmp.Compare(a.Part, b.Part))
	})
}

func scanChunkKey(row pgx.CollectableRow) (k ChunkKey, err error) {
	return k, row.Scan(&k.Series, &k.First, &k.Last, &k.Version, &k.Count)
}

// A range of chunks is read by one scan; bounds that hold for all of them let the planner leave partitions out.
const readChunks = `
	select c.*
	from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as wanted (series, low, high)
	cross join lateral (
		select series_id, first_time, payload from chunk
		where project_id = $1 and series_id = wanted.series and first_time between wanted.low and wanted.high
			and first_time between $5 and $6
		order by first_time
	) c`

const readYoung = `
	select wanted.place, y.payload
	from unnest($2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[])
		with ordinality as wanted (day, block, first_series, last_series, upto, part, place)
	cross join lateral (
		select payload from young
		where project_id = $1 and day = wanted.day and block = wanted.block and first_series = wanted.first_series
			and last_series = wanted.last_series and upto = wanted.upto and part = wanted.part
		limit 1
	) y`

// Read calls useChunk with the payload of each of the p.Chunks whose places are in chunks, in ascending order, then useYoung
// with those of the p.Young, in any order; it ends p, unless there is nothing to read. A payload is valid during the call.
// It is one round trip and holds one payload at a time. It stops at the first error of a call and returns it, wrapped; its
// own are PostgreSQL's, see Fault.
func (p *Packed) Read(
	ctx context.Context, chunks []int, useChunk func(i int, payload []byte) error, young []int, useYoung func(i int, payload []byte) error,
) error {
	if len(chunks)+len(young) == 0 {
		return nil
	}
	conn := p.conn
	p.conn = nil
	defer conn.Release()
	var b pgx.Batch
	if len(chunks) > 0 {
		p.queueChunks(&b, chunks, useChunk)
	}
	if len(young) > 0 {
		p.queueYoung(&b, young, useYoung)
	}
	b.Queue(`commit`)
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("read packed readings of project %d: %w", p.project, err)
	}
	return nil
}

func (p *Packed) queueChunks(b *pgx.Batch, chunks []int, use func(int, []byte) error) {
	var series, low, high []int64
	first, last := p.Chunks[chunks[0]].First, p.Chunks[chunks[0]].First
	for n, i := range chunks {
		k := p.Chunks[i]
		first, last = min(first, k.First), max(last, k.First)
		if n > 0 && chunks[n-1] == i-1 && p.Chunks[i-1].Series == k.Series {
			high[len(high)-1] = k.First
			continue
		}
		series, low, high = append(series, k.Series), append(low, k.First), append(high, k.First)
	}
	b.Queue(readChunks, p.project, series, low, high, first, last).Query(func(rows pgx.Rows) error {
		n := 0
		var at ChunkKey
		var payload payloadBytes
		_, err := pgx.ForEachRow(rows, []any{&at.Series, &at.First, &payload}, func() error {
			if n == len(chunks) || p.Chunks[chunks[n]].Series != at.Series || p.Chunks[chunks[n]].First != at.First {
				return fmt.Errorf("a chunk of series %d came out of turn", at.Series)
			}
			n++
			return use(chunks[n-1], payload)
		})
		if err == nil && n < len(chunks) {
			err = fmt.Errorf("%d of %d chunks are missing", len(chunks)-n, len(chunks))
		}
		return err
	})
}

func (p *Packed) queueYoung(b *pgx.Batch, young []int, use func(int, []byte) error) {
	n := len(young)
	days, blocks, parts := make([]time.Time, n), make([]int64, n), make([]int32, n)
	first, last, upto := make([]int64, n), make([]int64, n), make([]int64, n)
	for j, i := range young {
		k := p.Young[i]
		days[j], blocks[j], first[j], last[j], upto[j], parts[j] = k.Day, k.Block, k.FirstSeries, k.LastSeries, k.Upto, k.Part
	}
	b.Queue(readYoung, p.project, days, blocks, first, last, upto, parts).Query(func(rows pgx.Rows) error {
		found, place := 0, 0
		var payload payloadBytes
		_, err := pgx.ForEachRow(rows, []any{&place, &payload}, func() error {
			found++
			return use(young[place-1], payload)
		})
		if err == nil && found < len(young) {
			err = fmt.Errorf("%d of %d rows of young are missing", len(young)-found, len(young))
		}
		return err
	})
}

// Close gives the connection back; after Read it does nothing.
func (p *Packed) Close(ctx context.Context) {
	if p.conn == nil {
		return
	}
	if !p.over {
		_, _ = p.conn.Exec(ctx, `commit`) // when it fails, Release closes the connection
	}
	p.conn.Release()
	p.conn = nil
}
