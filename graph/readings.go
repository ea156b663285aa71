package graph

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// maxSeries is how many series one field may read.
const maxSeries = 1000

// newReading returns a reading of s as the API shows it.
func newReading(s *db.Series, r reading.Reading) *gql.Reading {
	return &gql.Reading{Series: s, Time: time.UnixMicro(r.Time).UTC(), Value: r.Value}
}

// matching returns the series that the filter matches and the rules show, at most maxSeries.
func (r *Resolver) matching(ctx context.Context, where *db.SeriesWhereInput) ([]*db.Series, error) {
	q, err := where.Filter(r.Client.Series.Query())
	if err != nil {
		return nil, err
	}
	found, err := q.WithDevice().Order(series.ByID()).Limit(maxSeries + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) > maxSeries {
		return nil, fault.New(fault.Invalid, "the filter matches more than %d series: narrow it", maxSeries)
	}
	return found, nil
}

// byProject returns the ids of series by project.
func byProject(found []*db.Series) map[int64][]int64 {
	ids := make(map[int64][]int64, 1)
	for _, s := range found {
		ids[s.ProjectID] = append(ids[s.ProjectID], s.ID)
	}
	return ids
}

// latest returns the newest reading of each of the series that has one.
func (r *Resolver) latest(ctx context.Context, found []*db.Series) ([]*gql.Reading, error) {
	newest := make(map[int64]reading.Reading, len(found))
	for project, ids := range byProject(found) {
		noteSeries(ctx, project, ids...)
		rs, err := r.History.Latest(ctx, project, ids)
		if err != nil {
			return nil, err
		}
		for _, v := range rs {
			newest[v.Series] = v
		}
	}
	readings := make([]*gql.Reading, 0, len(newest))
	for _, s := range found {
		if v, ok := newest[s.ID]; ok {
			readings = append(readings, newReading(s, v))
		}
	}
	return readings, nil
}

// readings returns a page of the readings of several series in order of time, then series.
func (r *Resolver) readings(ctx context.Context, found []*db.Series, in *gql.TimeRange, first *int, after *Cursor) (*gql.ReadingConnection, error) {
	n, err := pageSize(first)
	if err != nil {
		return nil, err
	}
	from, to, err := bounds(in)
	if err != nil {
		return nil, err
	}
	seen := reading.Reading{Series: math.MinInt64, Time: math.MinInt64}
	if after != nil {
		if seen.Series, seen.Time, err = r.Cursors.open(inSeries, after); err != nil {
			return nil, err
		}
	}
	var page []reading.Reading
	for project, ids := range byProject(found) {
		noteSeries(ctx, project, ids...)
		rs, err := r.History.Page(ctx, project, ids, from, to, seen, n+1)
		if err != nil {
			return nil, err
		}
		page = append(page, rs...)
	}
	slices.SortFunc(page, func(a, b reading.Reading) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Series, b.Series))
	})
	return r.connection(page, found, n, after != nil), nil
}

// connection makes a page of n readings of series of what may be more than it holds.
func (r *Resolver) connection(found []reading.Reading, of []*db.Series, n int, previous bool) *gql.ReadingConnection {
	byID := make(map[int64]*db.Series, len(of))
	for _, s := range of {
		byID[s.ID] = s
	}
	c := &gql.ReadingConnection{PageInfo: &db.PageInfo{HasNextPage: len(found) > n, HasPreviousPage: previous}}
	found = found[:min(n, len(found))]
	c.Edges, c.Nodes = make([]*gql.ReadingEdge, len(found)), make([]*gql.Reading, len(found))
	for i, v := range found {
		c.Nodes[i] = newReading(byID[v.Series], v)
		c.Edges[i] = &gql.ReadingEdge{Node: c.Nodes[i], Cursor: *r.Cursors.sign(inSeries, v.Series, v.Time)}
	}
	if len(found) > 0 {
		c.PageInfo.StartCursor = &c.Edges[0].Cursor
		c.PageInfo.EndCursor = &c.Edges[len(found)-1].Cursor
	}
	return c
}

// bounds returns the half-open range of an input, in microseconds; a range that ends before it starts is a fault Invalid.
func bounds(in *gql.TimeRange) (from, to int64, err error) {
	low, high, err := openBounds(in)
	from, to = 0, math.MaxInt64
	if low != nil {
		from = *low
	}
	if high != nil {
		to = *high
	}
	return from, to, err
}

// openBounds is bounds of a range whose ends may be open: they are nil then.
func openBounds(in *gql.TimeRange) (from, to *int64, err error) {
	if in == nil {
		return nil, nil, nil
	}
	from, to = microseconds(in.From), microseconds(in.To)
	if from != nil && to != nil && *from > *to {
		return nil, nil, fault.New(fault.Invalid, "the range ends before it starts")
	}
	return from, to, nil
}

func microseconds(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	us := t.UnixMicro()
	return &us
}
