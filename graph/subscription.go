package graph

import (
	"context"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// followProject returns the project that a subscription to series follows, of which everything is in the hub from now on. Whose
// filter is none, and who may not see the project, gets a fault.
func (r *Resolver) followProject(ctx context.Context, named *int64, where *db.SeriesWhereInput) (int64, error) {
	if _, err := where.P(); err != nil && err != db.ErrEmptySeriesWhereInput { //nolint:errorlint // wrapped, it is of a part
		return 0, err
	}
	id, err := r.projectOf(ctx, named, where)
	if err != nil {
		return 0, err
	}
	if err := rule.Require(ctx, r.Client, id, auth.Viewer); err != nil {
		return 0, err
	}
	return id, r.Journal.Follow(ctx, id)
}

// projectOf returns the project that a subscription follows: the one that it was planned for, the one named, the key's, the person's only one, or the
// only one of the series that match now.
func (r *Resolver) projectOf(ctx context.Context, named *int64, where *db.SeriesWhereInput) (int64, error) {
	if planned := transport.PartOf(ctx).Project; planned != 0 {
		return planned, nil
	}
	if named != nil {
		return *named, nil
	}
	if p := auth.FromContext(ctx); p != nil && p.Project != 0 {
		return p.Project, nil
	}
	ids, err := r.Client.Project.Query().Order(project.ByID()).Limit(2).IDs(ctx)
	if err != nil || len(ids) == 1 {
		return first(ids), err
	}
	q, err := where.Filter(r.Client.Series.Query())
	if err != nil {
		return 0, err
	}
	ids, err = q.QueryProject().Order(project.ByID()).Limit(2).IDs(ctx)
	if err != nil || len(ids) == 1 {
		return first(ids), err
	}
	return 0, fault.New(fault.Invalid, "say which project to follow: subscribe with project: \"…\"")
}

func first(ids []int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}
