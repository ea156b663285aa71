package hook

import (
	"context"

	"entgo.io/ent"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
)

// Tell has tell called with what is changed through client: after each commit, in the order of the changes, by the goroutine
// that committed; never after a rollback. A deletion, and a change of many at once, costs queries for what is concerned. tell
// must be safe for concurrent use. Call Tell before client is used.
func Tell(client *db.Client, tell func(...entity.Change)) {
	client.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			var changed []ent.Value
			var err error
			if m.Op().Is(concerning(m)) { // what it answers is a number
				if changed, err = concerned(auth.NewContext(ctx, auth.System()), m); err != nil {
					return nil, err
				}
			}
			v, err := next.Mutate(ctx, m)
			if err != nil {
				return nil, err
			}
			tellAfterCommit(m, changes(kind(m.Op()), append(changed, v)), tell)
			return v, nil
		})
	})
}

// concerning returns the operations before which it is found out what they concern.
func concerning(m ent.Mutation) ent.Op {
	switch m.(type) {
	case *db.SessionMutation: // a refresh updates one in one statement, and that is not told of
		return ent.OpDelete | ent.OpDeleteOne
	case *db.ChallengeMutation: // never told of
		return 0
	}
	return ent.OpUpdate | ent.OpDelete | ent.OpDeleteOne
}

func kind(op ent.Op) entity.Kind {
	switch {
	case op.Is(ent.OpCreate):
		return entity.Created
	case op.Is(ent.OpUpdate | ent.OpUpdateOne):
		return entity.Updated
	}
	return entity.Deleted
}

// changes returns those of the values that are entities as changes of one kind.
func changes(kind entity.Kind, values []ent.Value) (cs []entity.Change) {
	for _, v := range values {
		switch e := v.(type) {
		case *db.Project:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.Project, ID: e.ID, Project: e.ID})
		case *db.Member:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.Member, ID: e.ID, Project: e.ProjectID, User: e.UserID})
		case *db.Device:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.Device, ID: e.ID, Project: e.ProjectID})
		case *db.Series:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.Series, ID: e.ID, Project: e.ProjectID})
		case *db.Key:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.Key, ID: e.ID, Project: e.ProjectID})
		case *db.User:
			cs = append(cs, entity.Change{Kind: kind, Type: entity.User, ID: e.ID, User: e.ID})
		case *db.Session:
			if kind == entity.Deleted { // the rest is nobody's business
				cs = append(cs, entity.Change{Kind: kind, Type: entity.Session, ID: e.ID, User: e.UserID})
			}
		}
	}
	return cs
}
