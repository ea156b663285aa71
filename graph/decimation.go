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

// decimations bounds how many ranges are in memory as a whole at once: each may take a hundred megabytes, for some
// tenths of a second. Its zero value is ready.
type decimations struct {
	once   sync.Once
	places chan struct{}
}

// atOnce is how many there may be.
const atOnce = 2

// enter waits for a place; the caller calls leave when the range is in memory no more.
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
	all, err := r.History.Range(ctx, s.ProjectID, s.ID, from, to)
	if err != nil {
		return nil, err
	}
	return r.connection(decimate(all, n, how), []*db.Series{s}, n, false), nil
}

func decimate(rs []reading.Reading, n int, how *gql.Decimation) []reading.Reading {
	if how != nil && *how == gql.DecimationLttb {
		return stats.LTTB(rs, n)
	}
	return stats.MinMax(rs, n)
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
