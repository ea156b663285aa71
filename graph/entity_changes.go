package graph

import (
	"cmp"
	"context"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// entityChanges is one execution of the subscription `changes`: of those changes of a project's entities that its principal
// may see. One goroutine has it.
type entityChanges struct {
	*Resolver
	ctx     context.Context // of the execution, for its rights
	project int64
	watch   *entity.Watch
	heard   []entity.Change     // and not looked at
	ready   []*gql.EntityChange // to be sent
	own     map[int64]bool      // of a device's key: the series of its device, with which it is told of their end
}

var _ transport.Stream[*gql.EntityChange] = (*entityChanges)(nil)

// subscribeChanges plans a subscription, or starts its execution.
func (r *Resolver) subscribeChanges(ctx context.Context, in *int64, of []gql.EntityType) (<-chan *gql.EntityChange, error) {
	types, err := typesOf(of)
	if err != nil {
		return nil, err
	}
	id, err := r.onlyProject(ctx, in)
	if err != nil {
		return nil, err
	}
	if transport.Planning(ctx) {
		return transport.Propose[*gql.EntityChange](ctx, r.share(ctx, id))
	}
	c := &entityChanges{
		Resolver: r, ctx: ctx, project: id,
		watch: r.Entities.Watch(entity.Interest{Projects: []int64{id}, Types: types}),
	}
	if err := c.knowOwn(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return transport.Pull(ctx, c)
}

// onlyProject returns the project that a subscription follows, which the principal of ctx may see: the one named, the key's, or
// the person's only one.
func (r *Resolver) onlyProject(ctx context.Context, named *int64) (int64, error) {
	id := cmp.Or(transport.PartOf(ctx).Project, auth.FromContext(ctx).Project) // what was planned holds
	switch {
	case named != nil:
		id = *named
	case id == 0:
		ids, err := r.Client.Project.Query().Order(project.ByID()).Limit(2).IDs(ctx)
		if err != nil {
			return 0, err
		}
		if len(ids) > 1 {
			return 0, fault.New(fault.Invalid, "say which project to follow: subscribe with project: \"…\"")
		}
		id = first(ids)
	}
	return id, rule.Require(ctx, r.Client, id, auth.Viewer)
}

var entityTypes = map[gql.EntityType]entity.Type{
	gql.EntityTypeProject: entity.Project, gql.EntityTypeMember: entity.Member, gql.EntityTypeDevice: entity.Device,
	gql.EntityTypeSeries: entity.Series, gql.EntityTypeKey: entity.Key,
}

// typesOf returns the set of types that is asked for.
func typesOf(of []gql.EntityType) (types entity.Type, err error) {
	if of == nil {
		of = gql.AllEntityType
	}
	for _, t := range of {
		types |= entityTypes[t]
	}
	if types == 0 {
		return 0, fault.New(fault.Invalid, "of names one type at least; leave it out for all")
	}
	return types, nil
}

// Close implements transport.Stream.
func (c *entityChanges) Close() { c.watch.Close() }

// Place implements transport.Stream: changes have none.
func (c *entityChanges) Place() int64 { return 0 }

// Until implements transport.Stream.
func (c *entityChanges) Until(int64) {}

// First implements transport.Stream: who lagged behind has missed something.
func (c *entityChanges) First(_ context.Context, again bool) (*gql.EntityChange, transport.Mark, error) {
	if !again {
		return nil, transport.Mark{}, transport.ErrNothing
	}
	return &gql.EntityChange{Kind: gql.ChangeKindMissed, At: time.Now().UTC().Truncate(time.Microsecond)}, transport.Mark{}, nil
}

// changesAtOnce is how many changes are looked at together.
const changesAtOnce = 100

// Next implements transport.Stream.
func (c *entityChanges) Next(ctx context.Context) (*gql.EntityChange, transport.Mark, error) {
	for len(c.ready) == 0 {
		if c.heard = append(c.heard, c.watch.Take()...); len(c.heard) > 0 {
			some := c.heard[:min(len(c.heard), changesAtOnce)]
			ready, err := c.show(c.ctx, some) // who joins ends ctx, again and again
			if err != nil {
				return nil, transport.Mark{}, err
			}
			c.heard, c.ready = c.heard[len(some):], ready
			continue
		}
		select {
		case <-c.watch.Wake():
		case <-ctx.Done():
			return nil, transport.Mark{}, ctx.Err()
		}
	}
	next := c.ready[0]
	c.ready = c.ready[1:]
	return next, transport.Mark{Committed: next.At}, nil
}

// show returns those of the changes that the principal may see, with what they have made of the entities.
func (c *entityChanges) show(ctx context.Context, changes []entity.Change) (shown []*gql.EntityChange, err error) {
	nodes, err := c.nodes(ctx, changes)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		e := &gql.EntityChange{Kind: changeKinds[change.Kind], At: time.UnixMicro(change.At).UTC()}
		if change.Kind != entity.Missed {
			typ := typeNames[change.Type]
			e.Type, e.ID, e.Node = &typ, &change.ID, nodes[change.ID]
			visible, err := c.visible(ctx, change, e.Node != nil)
			if err != nil {
				return nil, err
			}
			if !visible {
				continue
			}
		}
		shown = append(shown, e)
	}
	return shown, nil
}

var (
	changeKinds = map[entity.Kind]gql.ChangeKind{
		entity.Created: gql.ChangeKindCreated, entity.Updated: gql.ChangeKindUpdated,
		entity.Deleted: gql.ChangeKindDeleted, entity.Missed: gql.ChangeKindMissed,
	}
	typeNames = map[entity.Type]gql.EntityType{
		entity.Project: gql.EntityTypeProject, entity.Member: gql.EntityTypeMember, entity.Device: gql.EntityTypeDevice,
		entity.Series: gql.EntityTypeSeries, entity.Key: gql.EntityTypeKey,
	}
)

// visible reports whether the principal may see a change: of what there is, whether he sees it; of what is gone, whether he
// would have.
func (c *entityChanges) visible(ctx context.Context, change entity.Change, found bool) (bool, error) {
	p := auth.FromContext(ctx)
	if p.Kind == auth.DeviceKey && change.Type == entity.Series {
		if found {
			c.own[change.ID] = true
		}
		found = found || change.Kind == entity.Deleted && c.own[change.ID]
	}
	switch {
	case change.Kind != entity.Deleted || p.Kind == auth.DeviceKey:
		return found, nil
	case change.Type == entity.Key:
		err := rule.Require(ctx, c.Client, c.project, auth.Owner)
		if fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return true, nil
}

// knowOwn looks up the series of a device's key.
func (c *entityChanges) knowOwn(ctx context.Context) error {
	p := auth.FromContext(ctx)
	if p.Kind != auth.DeviceKey {
		return nil
	}
	ids, err := c.Client.Series.Query().Where(series.DeviceID(p.Device)).IDs(ctx)
	c.own = make(map[int64]bool, len(ids))
	for _, id := range ids {
		c.own[id] = true
	}
	return err
}
