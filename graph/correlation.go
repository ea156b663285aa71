package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/stats"
)

// correlation answers Query.correlation.
func (r *Resolver) correlation(
	ctx context.Context, x, y int64, in *gql.TimeRange, window *gql.WindowInput, step stats.Period,
) ([]*gql.Correlation, error) {
	q, err := asked(ctx, in, window, nil, nil)
	if err != nil {
		return nil, err
	}
	pair := make([]*db.Series, 2)
	for i, id := range []int64{x, y} {
		if pair[i], err = r.Client.Series.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	done, err := turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	of := members(pair)
	noteMembers(ctx, of)
	found, how, err := r.Analysis.Correlate(ctx, of[0], of[1], q.from, q.to, q.window, step, q.now)
	if err != nil {
		return nil, err
	}
	explain(ctx, how)
	list := make([]*gql.Correlation, len(found))
	for i, c := range found {
		list[i] = &gql.Correlation{
			Start: time.UnixMicro(c.Start).UTC(), End: time.UnixMicro(c.End).UTC(), Pairs: c.Pairs, Coefficient: c.R,
		}
	}
	return list, afford(ctx, shown{items: len(list)})
}
