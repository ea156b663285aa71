package graph

import (
	"context"
	"slices"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

const (
	dayLength = int64(24 * time.Hour / time.Microsecond)
	// heatmapDays is how many days' hours are asked for at once: less than stats.MaxBuckets of them.
	heatmapDays = 450
	// maxHeatmapYears is how long the range of a heatmap by weekday may be.
	maxHeatmapYears = 20
)

// heatmap answers Query.heatmap: the hours of the range, put together by what their clock shows.
func (r *Resolver) heatmap(
	ctx context.Context, where *db.SeriesWhereInput, in *gql.TimeRange, by *gql.HeatmapRows, zone *string,
) ([]*gql.HeatmapCell, error) {
	q, err := asked(ctx, in, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	q.window.Every = stats.Hour.Period()
	if q.window.Zone, err = zoneOf(zone); err != nil {
		return nil, err
	}
	if q.need, err = needOfCells(ctx); err != nil {
		return nil, err
	}
	found, err := r.choose(ctx, where, false)
	if err != nil || len(found) == 0 {
		return []*gql.HeatmapCell{}, err
	}
	days := by != nil && *by == gql.HeatmapRowsDay
	if err := r.extend(ctx, &q, found, days); err != nil {
		return nil, err
	}
	if days {
		hours, err := r.hours(ctx, q, found)
		if err != nil {
			return nil, err
		}
		return cells(ctx, stats.Heatmap(hours, q.window.Zone, false), q.window.Zone)
	}
	return r.weekdays(ctx, q, found)
}

// extend fills in the open ends of a heatmap's range; a fault Invalid when it is too long.
func (r *Resolver) extend(ctx context.Context, q *question, found []*db.Series, days bool) error {
	done, err := turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	noteMembers(ctx, members(found))
	from, to, err := r.Analysis.Range(ctx, q.request([]*group{{series: found}}))
	switch length := to - from; {
	case err != nil:
		return err
	case days && length > heatmapDays*dayLength:
		return fault.New(fault.Invalid, "a heatmap by day is of %d days at most: give a shorter range", heatmapDays)
	case length > maxHeatmapYears*366*dayLength:
		return fault.New(fault.Invalid, "a heatmap is of %d years at most: give a shorter range", maxHeatmapYears)
	}
	to = max(from, to) // a range that begins in the future is empty
	q.from, q.to = &from, &to
	return nil
}

// weekdays puts the hours of a range of any length together by weekday, stretch by stretch.
func (r *Resolver) weekdays(ctx context.Context, q question, found []*db.Series) ([]*gql.HeatmapCell, error) {
	var week []stats.Cell
	for from, to := *q.from, *q.to; from < to; {
		end := min(from+heatmapDays*dayLength, to)
		q.from, q.to = &from, &end
		hours, err := r.hours(ctx, q, found)
		if err != nil {
			return nil, err
		}
		for _, cell := range week {
			hours = append(hours, cell.Bucket)
		}
		week = stats.Heatmap(hours, q.window.Zone, true)
		from = end
	}
	return cells(ctx, week, q.window.Zone)
}

// hours returns the hours of the range, nil where there are no readings.
func (r *Resolver) hours(ctx context.Context, q question, found []*db.Series) ([]*stats.Bucket, error) {
	a, err := r.analyse(ctx, q.request([]*group{{series: found}}))
	if err != nil {
		return nil, err
	}
	return slices.Clip(a.Groups[0].Buckets), nil
}

func cells(ctx context.Context, found []stats.Cell, zone *time.Location) ([]*gql.HeatmapCell, error) {
	list, values := make([]*gql.HeatmapCell, len(found)), 0
	for i, c := range found {
		list[i] = &gql.HeatmapCell{
			Weekday: gql.Weekday(stats.WeekdayOf(c.Weekday).String()), Hour: c.Hour, Statistic: analysis.NewCell(c, zone),
		}
		if c.Day != "" {
			list[i].Day = &c.Day
		}
		values += heldBy(c.Bucket)
	}
	return list, afford(ctx, shown{items: len(list), values: values})
}
