package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// payloadBytes is scanned without a copy: it is valid until the next row.
type payloadBytes = pgtype.DriverBytes

// blockBits is how many bits of a series' id are its place within its block of young.
const blockBits = 10

// blocksOf returns the blocks of series, which ascend, and the lowest and highest series of each.
func blocksOf(series []int64) (blocks, lowest, highest []int64) {
	for _, s := range series {
		if n := len(blocks); n == 0 || blocks[n-1] != s>>blockBits {
			blocks, lowest, highest = append(blocks, s>>blockBits), append(lowest, s), append(highest, s)
		}
		highest[len(highest)-1] = s
	}
	return blocks, lowest, highest
}

// The times that a date of PostgreSQL and of Go can both say, in µs.
var (
	firstDate = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	lastDate  = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro()
)

// utcDay returns the UTC day of a time (µs).
func utcDay(t int64) time.Time {
	return time.UnixMicro(min(max(t, firstDate), lastDate)).UTC().Truncate(24 * time.Hour)
}

// monthStart returns the time (µs) at which the UTC month of a time (µs) begins.
func monthStart(t int64) int64 {
	d := utcDay(t)
	return d.AddDate(0, 0, 1-d.Day()).UnixMicro()
}

// findBefore looks at the rows that begin last before a time; of young, at those that may hold the series.
const findBefore = `
	select greatest((
		select min(first_time) from (
			select first_time from chunk where project_id = $1 and series_id = $2 and first_time < $3
			order by first_time desc limit $4
		) c
	), (
		select min(first_time) from (
			select first_time from young
			where project_id = $1 and day <= $5 and block = $6 and first_series <= $2 and last_series >= $2 and first_time < $3
			order by day desc limit $4
		) y
	))`

// PackedBefore returns a time (µs) before the time before, from which on to there some rows, of each kind up to rows,
// begin that may hold readings of the series; ok is false when none does. Errors are PostgreSQL's own; see Fault.
func PackedBefore(ctx context.Context, pool *pgxpool.Pool, project, series, before int64, rows int) (from int64, ok bool, err error) {
	var found *int64
	err = pool.QueryRow(ctx, findBefore, project, series, before, rows, utcDay(before), series>>blockBits).Scan(&found)
	if err != nil {
		return 0, false, fmt.Errorf("look for packed readings of series %d: %w", series, err)
	}
	if found == nil {
		return 0, false, nil
	}
	return *found, true, nil
}
