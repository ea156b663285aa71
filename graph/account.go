package graph

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	login "github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
)

// account returns what u may know of u; nil to everybody else.
func (r *Resolver) account(ctx context.Context, u *db.User) (*gql.Account, error) {
	if p := auth.FromContext(ctx); p.Kind != auth.User || p.User != u.ID {
		return nil, nil
	}
	sessions, err := r.Client.Session.Query().Where(login.UserID(u.ID)).Order(login.BySeenAt(sql.OrderDesc())).All(ctx)
	return &gql.Account{Verified: u.VerifiedAt != nil, Zone: u.Zone, Settings: u.Settings, Sessions: sessions}, err
}

// themselves returns the person who asks. Fault: Forbidden for a key.
func themselves(ctx context.Context) (*auth.Principal, error) {
	p := auth.FromContext(ctx)
	if p.Kind != auth.User {
		return nil, fault.New(fault.Forbidden, "this is for people: a key has no account")
	}
	return p, nil
}

func (r *Resolver) updateMe(ctx context.Context, in gql.UpdateMeInput) (*db.User, error) {
	p, err := themselves(ctx)
	if err != nil {
		return nil, err
	}
	change := account.Change{Name: in.Name, Zone: in.Zone, Settings: in.Settings}
	return account.Update(auth.NewContext(ctx, auth.System()), db.FromContext(ctx).User, p.User, change)
}

func (r *Resolver) endSession(ctx context.Context, id int64) error {
	if _, err := themselves(ctx); err != nil {
		return err
	}
	return db.FromContext(ctx).Session.DeleteOneID(id).Exec(ctx)
}

func (r *Resolver) endOtherSessions(ctx context.Context) (int, error) {
	p, err := themselves(ctx)
	if err != nil {
		return 0, err
	}
	return db.FromContext(ctx).Session.Delete().Where(login.UserID(p.User), login.IDNEQ(sessionOf(ctx).login(p))).
		Exec(auth.NewContext(ctx, auth.System()))
}
