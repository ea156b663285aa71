package account

import (
	"context"
	"net/http"
	"strconv"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// Delete deletes the account of whoever asks, with their sessions, memberships and the projects that nobody else owns. handOver
// names, by the ids of projects, the addresses of those who are made owners in their place. What is cut off, as the deletion
// of a large project may be, can be asked for again. Faults: Unauthenticated for the password, TooMany; NotFound for a project
// that they do not own and for an address without an account, before anything is changed.
func (a *Accounts) Delete(ctx context.Context, p *auth.Principal, password string, handOver map[string]string) error {
	ctx = system(ctx)
	u, err := a.Client.User.Get(ctx, p.User)
	if err != nil {
		return err
	}
	if err := a.proveAgain(ctx, u, password); err != nil {
		return err
	}
	err = a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for id, email := range handOver {
			if err := a.handOver(ctx, tx, u, id, email); err != nil {
				return err
			}
		}
		return nil
	})
	for err == nil {
		var orphans []int64
		if orphans, err = a.leave(ctx, u); err != nil || len(orphans) == 0 {
			return err
		}
		for _, id := range orphans {
			if err = a.Projects.DeleteProject(ctx, id); err != nil {
				break
			}
		}
	}
	return err
}

// handOver makes somebody else an owner of a project of u.
func (a *Accounts) handOver(ctx context.Context, tx *db.Tx, u *db.User, id, email string) error {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "handOver names projects by their ids")
	}
	owned, err := tx.Member.Query().Where(member.ProjectID(number), member.UserID(u.ID), member.RoleEQ(member.RoleOWNER)).Exist(ctx)
	if err != nil {
		return err
	}
	if !owned {
		return fault.New(fault.NotFound, "you own no project %d", number)
	}
	if email, err = auth.Address(email); err != nil {
		return err
	}
	heir, err := tx.User.Query().Where(user.Email(email), user.VerifiedAtNotNil(), user.IDNEQ(u.ID)).OnlyID(ctx)
	if db.IsNotFound(err) {
		return fault.New(fault.NotFound, "nobody else has an account with the address that project %d is to be handed over to", number)
	}
	if err != nil {
		return err
	}
	n, err := tx.Member.Update().Where(member.ProjectID(number), member.UserID(heir)).SetRole(member.RoleOWNER).Save(ctx)
	if err != nil || n > 0 {
		return err
	}
	return tx.Member.Create().SetProjectID(number).SetUserID(heir).SetRole(member.RoleOWNER).Exec(ctx)
}

// leave deletes u or, when there are any, returns the projects that would be left without an owner. The locks keep others from
// leaving these projects, and u from making another one, in between.
func (a *Accounts) leave(ctx context.Context, u *db.User) (orphans []int64, err error) {
	err = a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.User.Query().Where(user.ID(u.ID)).ForUpdate().OnlyID(ctx); err != nil {
			return err
		}
		owned, err := tx.Project.Query().
			Where(project.HasMembersWith(member.UserID(u.ID), member.RoleEQ(member.RoleOWNER))).
			Order(project.ByID()).ForUpdate().IDs(ctx)
		if err != nil {
			return err
		}
		for _, id := range owned {
			others, err := tx.Member.Query().
				Where(member.ProjectID(id), member.RoleEQ(member.RoleOWNER), member.UserIDNEQ(u.ID)).Exist(ctx)
			if err != nil {
				return err
			}
			if !others {
				orphans = append(orphans, id)
			}
		}
		if len(orphans) > 0 {
			return nil
		}
		return tx.User.DeleteOneID(u.ID).Exec(ctx)
	})
	return orphans, err
}

func (a *Accounts) serveDeleteMe(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	in, err := a.read(w, r, "password", "handOver")
	if err != nil {
		return err
	}
	password, heirs := in.text("password"), in.object("handOver")
	if in.err != nil {
		return in.err
	}
	if err := a.Delete(r.Context(), p, password, heirs); err != nil {
		return err
	}
	clearCookies(w)
	return done(w)
}
