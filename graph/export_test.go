package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/stats"
)

// ReadingArguments are those of the subscription to readings that do not say of what.
type ReadingArguments struct {
	From      *time.Time
	After     *Cursor
	OnLag     *gql.LagPolicy
	MaxRate   *float64
	MaxPoints *int
	Heartbeat *stats.Period
}

// OpenReadings opens a part of a subscription to readings as its resolver does.
func (r *Resolver) OpenReadings(
	ctx context.Context, project int64, where db.SeriesWhereInput, a ReadingArguments, part transport.Part,
) (transport.Stream[*gql.ReadingEvent], error) {
	q, err := askedOfReadings(a.From, a.After, a.OnLag, a.MaxRate, a.MaxPoints, a.Heartbeat)
	if err != nil {
		return nil, err
	}
	id, err := r.followProject(ctx, &project, &where)
	if err != nil {
		return nil, err
	}
	s, err := r.openReadings(ctx, id, where, q, part)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Refilter is refilter.
func (r *Resolver) Refilter(project int64) { r.refilter(project) }

// Thinned is thinned.
var Thinned = thinned

// InJournal signs a place in a project's journal; at is when its entry was committed (µs), 0: not known.
func (c Cursors) InJournal(project, offset, at int64) *Cursor {
	return c.sign(inJournal, project, offset, at)
}

// TakeHistories takes room for n readings from all subscriptions' history; false: there is not so much.
func (r *Resolver) TakeHistories(n int64) bool {
	_ = r.histories.enter(context.Background(), 0) // so that there is any
	return r.histories.room.TryAcquire(n)
}

// LeaveHistories gives it back.
func (r *Resolver) LeaveHistories(n int64) { r.histories.leave(n) }

// MaxHistories is all the room that there is.
const MaxHistories = maxHistories
