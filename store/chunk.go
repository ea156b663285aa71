package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ChunkRow is a row of chunk to be written. Its version is given by the database.
type ChunkRow struct {
	Series      int64
	First, Last int64 // times of its first and its last reading, µs
	Count       int
	Payload     []byte // reading.Compact
}

var chunkColumns = []string{"project_id", "series_id", "first_time", "last_time", "count", "payload"}

var copyChunk = copyStatement("chunk", chunkColumns)

// CopyChunks adds rows to chunk, whose partitions must be there; see MakePackPartitions. Errors are PostgreSQL's own; see
// Fault and IsNoPartition.
func CopyChunks(ctx context.Context, tx pgx.Tx, project int64, rows []ChunkRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := copyRows(ctx, tx, copyChunk, len(rows), func(t tuple, i int) tuple {
		r := &rows[i]
		t = t.columns(len(chunkColumns)).bigint(project).bigint(r.Series).bigint(r.First).bigint(r.Last)
		return t.integer(r.Count).bytes(r.Payload)
	})
	if err != nil {
		return fmt.Errorf("write %d chunks: %w", len(rows), err)
	}
	return nil
}

// SeriesSpan is a stretch of time of a series: From <= time < To (µs).
type SeriesSpan struct{ Series, From, To int64 }

// Rows of a series do not overlap, so only the last one that begins before the stretch may reach into it; and none crosses
// a month, so that one is not looked for before the month of the stretch's beginning.
const findChunksIn = `
	select wanted.series, c.*
	from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as wanted (series, month, low, high)
	cross join lateral (
		(
			select * from (
				select first_time, last_time, version, count from chunk
				where project_id = $1 and series_id = wanted.series and first_time >= wanted.month and first_time < wanted.low
					and first_time between $6 and $7
				order by first_time desc limit 1
			) before
			where last_time >= wanted.low
		) union all (
			select first_time, last_time, version, count from chunk
			where project_id = $1 and series_id = wanted.series and first_time >= wanted.low and first_time < wanted.high
				and first_time between $6 and $7
		)
	) c
	order by 1, 2`

// FindChunksIn returns the rows of chunk that reach into the spans, which must not overlap, by series and time; one that
// reaches into several spans comes once for each. Errors are PostgreSQL's own; see Fault.
func FindChunksIn(ctx context.Context, tx pgx.Tx, project int64, spans []SeriesSpan) ([]ChunkKey, error) {
	if len(spans) == 0 {
		return nil, nil
	}
	n := len(spans)
	series, months, from, to := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	lowest, highest := monthStart(spans[0].From), spans[0].To
	for i, s := range spans {
		series[i], months[i], from[i], to[i] = s.Series, monthStart(s.From), s.From, s.To
		lowest, highest = min(lowest, months[i]), max(highest, s.To)
	}
	rows, err := tx.Query(ctx, findChunksIn, project, series, months, from, to, lowest, highest)
	if err == nil {
		var keys []ChunkKey
		if keys, err = pgx.CollectRows(rows, scanChunkKey); err == nil {
			return keys, nil
		}
	}
	return nil, fmt.Errorf("find chunks: %w", err)
}

// NewestChunk returns the last row of chunk that a series has; ok is false when it has none. Errors are PostgreSQL's own;
// see Fault.
func NewestChunk(ctx context.Context, tx pgx.Tx, project, series int64) (key ChunkKey, ok bool, err error) {
	rows, err := tx.Query(ctx, `select series_id, first_time, last_time, version, count from chunk
		where project_id = $1 and series_id = $2 order by first_time desc limit 1`, project, series)
	if err == nil {
		var keys []ChunkKey
		if keys, err = pgx.CollectRows(rows, scanChunkKey); err == nil && len(keys) == 0 {
			return ChunkKey{}, false, nil
		} else if err == nil {
			return keys[0], true, nil
		}
	}
	return ChunkKey{}, false, fmt.Errorf("find the last chunk of series %d: %w", series, err)
}

const readChunksAt = `
	select wanted.place, c.payload
	from unnest($2::bigint[], $3::bigint[]) with ordinality as wanted (series, first_time, place)
	cross join lateral (
		select payload from chunk
		where project_id = $1 and series_id = wanted.series and first_time = wanted.first_time and first_time between $4 and $5
		limit 1
	) c`

// ReadChunks calls use with the payload of each of the keys, in any order; i is the key's place in keys. A payload is valid
// during the call alone. It ends with the first error of use, as it is; its own errors are PostgreSQL's, see Fault.
func ReadChunks(ctx context.Context, tx pgx.Tx, project int64, keys []ChunkKey, use func(i int, payload []byte) error) error {
	if len(keys) == 0 {
		return nil
	}
	series, first, lowest, highest := placesOf(keys)
	found, err := tx.Query(ctx, readChunksAt, project, series, first, lowest, highest)
	if err != nil {
		return fmt.Errorf("read chunks: %w", err)
	}
	var place int
	var payload payloadBytes
	var used error
	tag, err := pgx.ForEachRow(found, []any{&place, &payload}, func() error {
		used = use(place-1, payload)
		return used
	})
	switch {
	case used != nil:
		return used
	case err != nil:
		return fmt.Errorf("read chunks: %w", err)
	case tag.RowsAffected() != int64(len(keys)):
		return fmt.Errorf("read chunks: %d of %d are gone", int64(len(keys))-tag.RowsAffected(), len(keys))
	}
	return nil
}

// placesOf returns where chunks begin, and bounds of their times, by which the planner leaves partitions out.
func placesOf(keys []ChunkKey) (series, first []int64, lowest, highest int64) {
	series, first = make([]int64, len(keys)), make([]int64, len(keys))
	lowest, highest = keys[0].First, keys[0].First
	for i, k := range keys {
		series[i], first[i] = k.Series, k.First
		lowest, highest = min(lowest, k.First), max(highest, k.First)
	}
	return series, first, lowest, highest
}

// DropChunks deletes rows of chunk. Errors are PostgreSQL's own; see Fault.
func DropChunks(ctx context.Context, tx pgx.Tx, project int64, keys []ChunkKey) error {
	if len(keys) == 0 {
		return nil
	}
	series, first, lowest, highest := placesOf(keys)
	const drop = `delete from chunk using unnest($2::bigint[], $3::bigint[]) as gone (series, first)
		where project_id = $1 and series_id = gone.series and first_time = gone.first and first_time between $4 and $5`
	if _, err := tx.Exec(ctx, drop, project, series, first, lowest, highest); err != nil {
		return fmt.Errorf("delete %d chunks: %w", len(keys), err)
	}
	return nil
}

// DropChunksOf deletes all rows of chunk that the series have. Errors are PostgreSQL's own; see Fault.
func DropChunksOf(ctx context.Context, tx pgx.Tx, project int64, series []int64) error {
	if len(series) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `delete from chunk where project_id = $1 and series_id = any ($2)`, project, series); err != nil {
		return fmt.Errorf("delete the chunks of %d series: %w", len(series), err)
	}
	return nil
}
