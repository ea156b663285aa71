package store

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// MakePackPartitions makes sure that chunk, rollup_hour and rollup_day have partitions for all readings from first to
// last, both included: one for each UTC month between them, and of rollup_day one for each year. Each partition costs
// every later plan a little, so call it once for each month that has readings, and not for a span of years with readings
// at its ends.
//
// When nothing is missing it is one statement; what is missing is made under an advisory lock, so that any number of
// processes may call it at once. What is not kept any longer is dropped at any time, so a caller that remembers what
// stands must forget it when it meets IsNoPartition. Faults: as Fault.
func MakePackPartitions(ctx context.Context, pool *pgxpool.Pool, first, last time.Time) error {
	var wanted []partition
	for month := monthOf(first); !month.After(last); month = month.AddDate(0, 1, 0) {
		wanted = append(wanted, chunkMonth(month), rollupMonth(month))
		if len(wanted) == 2 || month.Month() == time.January {
			wanted = append(wanted, rollupYear(month))
		}
	}
	return makeMissing(ctx, pool, wanted)
}

// monthOf returns the beginning of t's UTC month.
func monthOf(t time.Time) time.Time {
	year, month, _ := t.UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// yearOf returns the beginning of t's UTC year.
func yearOf(t time.Time) time.Time { return time.Date(t.UTC().Year(), 1, 1, 0, 0, 0, 0, time.UTC) }

func chunkMonth(month time.Time) partition {
	return partition{
		parent: "chunk", name: "chunk_" + month.Format("200601"), payload: true,
		column: "first_time", from: microBound(month), to: microBound(month.AddDate(0, 1, 0)), end: month.AddDate(0, 1, 0),
	}
}

func rollupMonth(month time.Time) partition {
	return partition{
		parent: "rollup_hour", name: "rollup_hour_" + month.Format("200601"),
		column: "start", from: utcBound(month), to: utcBound(month.AddDate(0, 1, 0)), end: month.AddDate(0, 1, 0),
	}
}

func rollupYear(t time.Time) partition {
	year := yearOf(t)
	return partition{
		parent: "rollup_day", name: "rollup_day_" + year.Format("2006"),
		column: "start", from: utcBound(year), to: utcBound(year.AddDate(1, 0, 0)), end: year.AddDate(1, 0, 0),
	}
}

func microBound(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
