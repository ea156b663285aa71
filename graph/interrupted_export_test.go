package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
)

// OpenChanges opens the subscription to all changes of a project's entities.
func (r *Resolver) OpenChanges(ctx context.Context, project int64) transport.Stream[*gql.EntityChange] {
	return &entityChanges{
		Resolver: r, ctx: ctx, project: project, watch: r.Entities.Watch(entity.Interest{Projects: []int64{project}, Types: entity.Device}),
	}
}

// OpenDeviceStatus opens the subscription to the states of a project's devices, for one alone.
func (r *Resolver) OpenDeviceStatus(ctx context.Context, project int64, silent time.Duration) (transport.Stream[[]*gql.DeviceStatus], error) {
	matching, err := devicesOf(project, nil)
	if err != nil {
		return nil, err
	}
	return r.openDeviceStatus(ctx, newSenders(r, project, matching, silent))
}
