package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/stats"
)

// Rollup is a row of rollup_hour or rollup_day: what is said of the readings of a series in one UTC hour or day.
type Rollup struct {
	Series int64
	Start  int64 // of the hour or day, µs
	stats.Summary
	Sketch []byte // stats.Sketch; empty where the readings are few
	// Area and Increase are those of the stats.Line through the readings; NaN in rows that were written before there were any.
	Area, Increase float64
}

var rollupColumns = []string{
	"project_id", "series_id", "start", "count", "sum", "m2", "min", "max", "first", "last", "first_at", "last_at", "sketch",
	"area", "increase",
}

// CopyRollups adds rows to rollup_day and rollup_hour, whose partitions must be there; see MakePackPartitions. Errors are
// PostgreSQL's own; see Fault and IsNoPartition.
func CopyRollups(ctx context.Context, tx pgx.Tx, project int64, days, hours []Rollup) error {
	if err := copyRollups(ctx, tx, project, "rollup_day", days); err != nil {
		return err
	}
	return copyRollups(ctx, tx, project, "rollup_hour", hours)
}

func copyRollups(ctx context.Context, tx pgx.Tx, project int64, table string, rows []Rollup) error {
	if len(rows) == 0 {
		return nil
	}
	err := copyRows(ctx, tx, copyStatement(table, rollupColumns), len(rows), func(t tuple, i int) tuple {
		r := &rows[i]
		t = t.columns(len(rollupColumns)).bigint(project).bigint(r.Series).timestamp(r.Start).integer(r.Count)
		t = t.double(r.Sum).double(r.M2).double(r.Min).double(r.Max).double(r.First).double(r.Last)
		t = t.timestamp(r.FirstAt).timestamp(r.LastAt).bytes(r.Sketch)
		return t.double(r.Area).double(r.Increase)
	})
	if err != nil {
		return fmt.Errorf("write %d rows of %s: %w", len(rows), table, err)
	}
	return nil
}

// SeriesDay is a series on a UTC day.
type SeriesDay struct {
	Series int64
	Start  int64 // of the day, µs
}

// Bounds that hold for all of the days let the planner leave partitions out.
const (
	dropRollupDays = `delete from rollup_day using unnest($2::bigint[], $3::timestamptz[]) as gone (series, day)
		where project_id = $1 and series_id = gone.series and start = gone.day and start between $4 and $5`
	dropRollupHours = `delete from rollup_hour using unnest($2::bigint[], $3::timestamptz[]) as gone (series, day)
		where project_id = $1 and series_id = gone.series and start >= gone.day and start < gone.day + interval '24 hours'
			and start >= $4 and start < $5::timestamptz + interval '24 hours'`
)

// DropRollups deletes the rows of rollup_day and rollup_hour of the days. Errors are PostgreSQL's own; see Fault.
func DropRollups(ctx context.Context, tx pgx.Tx, project int64, days []SeriesDay) error {
	if len(days) == 0 {
		return nil
	}
	series, starts := make([]int64, len(days)), make([]time.Time, len(days))
	lowest, highest := days[0].Start, days[0].Start
	for i, d := range days {
		series[i], starts[i] = d.Series, time.UnixMicro(d.Start)
		lowest, highest = min(lowest, d.Start), max(highest, d.Start)
	}
	for _, drop := range []string{dropRollupDays, dropRollupHours} {
		if _, err := tx.Exec(ctx, drop, project, series, starts, time.UnixMicro(lowest), time.UnixMicro(highest)); err != nil {
			return fmt.Errorf("delete the rollups of %d days: %w", len(days), err)
		}
	}
	return nil
}

// DropRollupsOf deletes all rollups of the series. Errors are PostgreSQL's own; see Fault.
func DropRollupsOf(ctx context.Context, tx pgx.Tx, project int64, series []int64) error {
	if len(series) == 0 {
		return nil
	}
	for _, table := range []string{"rollup_day", "rollup_hour"} {
		if _, err := tx.Exec(ctx, `delete from `+table+` where project_id = $1 and series_id = any ($2)`, project, series); err != nil {
			return fmt.Errorf("delete the rollups of %d series: %w", len(series), err)
		}
	}
	return nil
}

const rolledDays = `
	select distinct series_id, start
	from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[]) as wanted (series_id, low, high)
	join rollup_day using (series_id)
	where project_id = $1 and start >= low and start < high
	order by 1, 2`

// RolledDays returns the days that reach into the spans and have a row of rollup_day, by series and time. Errors are
// PostgreSQL's own; see Fault.
func RolledDays(ctx context.Context, tx pgx.Tx, project int64, spans []SeriesSpan) ([]SeriesDay, error) {
	series, low, high := make([]int64, len(spans)), make([]time.Time, len(spans)), make([]time.Time, len(spans))
	for i, s := range spans {
		series[i], low[i], high[i] = s.Series, utcDay(s.From), time.UnixMicro(min(max(s.To, firstDate), lastDate))
	}
	rows, err := tx.Query(ctx, rolledDays, project, series, low, high)
	if err == nil {
		var days []SeriesDay
		days, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (d SeriesDay, err error) {
			var start time.Time
			err = row.Scan(&d.Series, &start)
			d.Start = start.UnixMicro()
			return d, err
		})
		if err == nil {
			return days, nil
		}
	}
	return nil, fmt.Errorf("find rollups: %w", err)
}
