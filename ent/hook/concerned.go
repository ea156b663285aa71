package hook

import (
	"context"

	"entgo.io/ent"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
)

// concerned returns the entities that m is about to change or delete, and those that go with them: of what a project owns
// only its members, since who waits for anything in a project is told that the project is gone.
func concerned(ctx context.Context, m ent.Mutation) (found []ent.Value, err error) {
	ids, err := m.(interface {
		IDs(context.Context) ([]int64, error)
	}).IDs(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	c := m.(interface{ Client() *db.Client }).Client()
	cascades := m.Op().Is(ent.OpDelete | ent.OpDeleteOne)
	f := finder{ctx: ctx}
	switch m.(type) {
	case *db.ProjectMutation:
		find(&f, c.Project.Query().Where(project.IDIn(ids...)).All)
		if cascades {
			find(&f, c.Member.Query().Where(member.ProjectIDIn(ids...)).All)
		}
	case *db.MemberMutation:
		find(&f, c.Member.Query().Where(member.IDIn(ids...)).All)
	case *db.DeviceMutation:
		find(&f, c.Device.Query().Where(device.IDIn(ids...)).All)
		if cascades {
			find(&f, c.Key.Query().Where(key.DeviceIDIn(ids...)).All)
			find(&f, c.Series.Query().Where(series.DeviceIDIn(ids...)).Select(series.FieldID, series.FieldProjectID).All)
		}
	case *db.SeriesMutation:
		find(&f, c.Series.Query().Where(series.IDIn(ids...)).All)
	case *db.KeyMutation:
		find(&f, c.Key.Query().Where(key.IDIn(ids...)).All)
	case *db.SessionMutation:
		find(&f, c.Session.Query().Where(session.IDIn(ids...)).Select(session.FieldID, session.FieldUserID).All)
	case *db.UserMutation:
		find(&f, c.User.Query().Where(user.IDIn(ids...)).All)
		if cascades {
			find(&f, c.Member.Query().Where(member.UserIDIn(ids...)).All)
		}
	}
	return f.found, f.err
}

// finder collects what queries find, until one of them fails.
type finder struct {
	ctx   context.Context
	found []ent.Value
	err   error
}

func find[E any](f *finder, query func(context.Context) ([]E, error)) {
	if f.err != nil {
		return
	}
	list, err := query(f.ctx)
	for _, e := range list {
		f.found = append(f.found, e)
	}
	f.err = err
}
