package graph

import (
	"context"
	"sync"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// maxPoints is how many readings a range may be decimated to.
const maxPoints = 10_000

// decimations bounds how many ranges are decimated at once: each takes both of two processors for as long as it takes to
// decode all of it, and for LTTB may take a hundred megabytes. Its zero value is ready.
type decimations struct {
	once   sync.Once
	places chan struct{}
}

// atOnce is how many there may be.
const atOnce = 2

// enter waits for a place; the caller calls leave when the range is decimated.
func (d *decimations) enter(ctx context.Context) error {
	d.once.Do(func() { d.places = make(chan struct{}, atOnce) })
	select {
	case d.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Unavailable, "too many long ranges are being read: try again")
	}
}

func (d *decimations) leave() { <-d.places }

// decimated returns the readings of a series in a range in one page of at most n.
func (r *Resolver) decimated(ctx context.Context, s *db.Series, in *gql.TimeRange, n int, how *gql.Decimation) (*gql.ReadingConnection, error) {
	if n < 2 || n > maxPoints {
		return nil, fault.New(fault.Invalid, "maxPoints is from 2 to %d", maxPoints)
	}
	from, to, err := bounds(in)
	if err != nil {
		return nil, err
	}
	if err := r.decimations.enter(ctx); err != nil {
		return nil, err
	}
	defer r.decimations.leave()
	decimate := r.History.MinMax
	if how != nil && *how == gql.DecimationLttb {
		decimate = r.triangles
	}
	noteSeries(ctx, s.ProjectID, s.ID)
	kept, err := decimate(ctx, s.ProjectID, s.ID, from, to, n)
	if err != nil {
		return nil, err
	}
	return r.connection(kept, []*db.Series{s}, n, false), nil
}

// triangles decimates by LTTB, which divides readings and not time: it has to know how many they are, so it holds them all.
func (r *Resolver) triangles(ctx context.Context, project, series, from, to int64, n int) ([]reading.Reading, error) {
	all, err := r.History.Range(ctx, project, series, from, to)
	return stats.LTTB(all, n), err
}

// readingsOf returns readings of one series: a page, or with points the whole range decimated.
func (r *Resolver) readingsOf(
	ctx context.Context, s *db.Series, in *gql.TimeRange, first *int, after *Cursor, points *int, how *gql.Decimation,
) (*gql.ReadingConnection, error) {
	if points == nil {
		return r.readings(ctx, []*db.Series{s}, in, first, after)
	}
	if first != nil || after != nil {
		return nil, fault.New(fault.Invalid, "with maxPoints the whole range is one page: leave first and after out")
	}
	return r.decimated(ctx, s, in, *points, how)
}
