package graph

import (
	"context"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/entity"
)

// nodes returns the entities that changes were of, by their ids, as they are now: those that the principal of ctx may see. One
// query for each type that there is.
func (r *Resolver) nodes(ctx context.Context, changes []entity.Change) (map[int64]db.Noder, error) {
	ids := map[entity.Type][]int64{}
	for _, c := range changes {
		if c.Kind == entity.Created || c.Kind == entity.Updated {
			ids[c.Type] = append(ids[c.Type], c.ID)
		}
	}
	nodes := make(map[int64]db.Noder, len(changes))
	for t, ids := range ids {
		var err error
		switch t {
		case entity.Project:
			err = take(ctx, nodes, r.Client.Project.Query().Where(project.IDIn(ids...)).All, func(p *db.Project) int64 { return p.ID })
		case entity.Member:
			err = take(ctx, nodes, r.Client.Member.Query().Where(member.IDIn(ids...)).All, func(m *db.Member) int64 { return m.ID })
		case entity.Device:
			err = take(ctx, nodes, r.Client.Device.Query().Where(device.IDIn(ids...)).All, func(d *db.Device) int64 { return d.ID })
		case entity.Series:
			err = take(ctx, nodes, r.Client.Series.Query().Where(series.IDIn(ids...)).WithDevice().All, func(s *db.Series) int64 { return s.ID })
		case entity.Key:
			err = take(ctx, nodes, r.Client.Key.Query().Where(key.IDIn(ids...)).All, func(k *db.Key) int64 { return k.ID })
		}
		if err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// take puts what a query finds into nodes.
func take[E db.Noder](ctx context.Context, nodes map[int64]db.Noder, query func(context.Context) ([]E, error), id func(E) int64) error {
	found, err := query(ctx)
	for _, e := range found {
		nodes[id(e)] = e
	}
	return err
}
