package graph

import (
	"context"
	"strings"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// The mutations of more than one step. But for those that stand alone (see transactions), each runs in the transaction of
// its request (db.FromContext), so all or nothing.

func (r *Resolver) createProject(ctx context.Context, input db.CreateProjectInput) (*db.Project, error) {
	client, p := db.FromContext(ctx), auth.FromContext(ctx)
	created, err := client.Project.Create().SetInput(input).Save(ctx)
	if err != nil {
		return nil, err
	}
	err = client.Member.Create().SetProject(created).SetUserID(p.User).SetRole(member.RoleOWNER).
		Exec(auth.NewContext(ctx, auth.System())) // nobody is its owner yet
	return created, err
}

// deleteProject works outside a transaction, in steps of bounded length, so that no other project's appends wait for it:
// first nobody can send any more, then what was sent goes, then the rest. What is cut off in between can be asked for
// again.
func (r *Resolver) deleteProject(ctx context.Context, id int64) error {
	if err := rule.Require(ctx, r.Client, id, auth.Owner); err != nil {
		return err
	}
	system := auth.NewContext(ctx, auth.System())
	if _, err := r.Client.Key.Delete().Where(key.ProjectID(id)).Exec(system); err != nil {
		return err
	}
	if err := r.Changes.EmptyProject(ctx, id); err != nil {
		return err
	}
	if err := r.Client.Project.DeleteOneID(id).Exec(ctx); err != nil {
		return err
	}
	r.Changes.ProjectDeleted(id)
	return nil
}

func (r *Resolver) createMember(ctx context.Context, input gql.CreateMemberInput) (*db.Member, error) {
	client := db.FromContext(ctx)
	// First the right, then the look-up: the answer must not tell others who has an account.
	if err := rule.Require(ctx, client, input.ProjectID, auth.Owner); err != nil {
		return nil, err
	}
	id, err := client.User.Query().Where(user.Email(strings.ToLower(input.Email)), user.VerifiedAtNotNil()).OnlyID(auth.NewContext(ctx, auth.System()))
	if db.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "no account has this e-mail address: ask them to register first")
	}
	if err != nil {
		return nil, err
	}
	return client.Member.Create().SetProjectID(input.ProjectID).SetUserID(id).SetRole(input.Role).Save(ctx)
}

func (r *Resolver) updateMember(ctx context.Context, id int64, input db.UpdateMemberInput) (*db.Member, error) {
	if input.Role != nil && *input.Role != member.RoleOWNER {
		if err := keepsOwner(ctx, id); err != nil {
			return nil, err
		}
	}
	return db.FromContext(ctx).Member.UpdateOneID(id).SetInput(input).Save(ctx)
}

func (r *Resolver) deleteMember(ctx context.Context, id int64) error {
	if err := keepsOwner(ctx, id); err != nil {
		return err
	}
	return db.FromContext(ctx).Member.DeleteOneID(id).Exec(ctx)
}

// keepsOwner returns a fault Conflict when a project would be left without an owner by the loss of this member. It locks
// the project, so that two owners cannot remove each other at once.
func keepsOwner(ctx context.Context, id int64) error {
	client := db.FromContext(ctx)
	m, err := client.Member.Get(ctx, id)
	if err != nil {
		return err
	}
	if m.Role != member.RoleOWNER {
		return nil
	}
	system := auth.NewContext(ctx, auth.System())
	if _, err := client.Project.Query().Where(project.ID(m.ProjectID)).ForUpdate().OnlyID(system); err != nil {
		return err
	}
	others, err := client.Member.Query().
		Where(member.ProjectID(m.ProjectID), member.RoleEQ(member.RoleOWNER), member.IDNEQ(id)).
		Exist(system)
	if err == nil && !others {
		return fault.New(fault.Conflict, "a project keeps at least one owner: make somebody else an owner first")
	}
	return err
}

func (r *Resolver) deleteDevice(ctx context.Context, id int64) error {
	client := db.FromContext(ctx)
	d, err := client.Device.Get(ctx, id)
	if err != nil {
		return err
	}
	gone, err := client.Series.Query().Where(series.DeviceID(id)).IDs(ctx)
	if err != nil {
		return err
	}
	if err := client.Device.DeleteOneID(id).Exec(ctx); err != nil {
		return err
	}
	afterCommit(ctx, func() { r.Changes.SeriesChanged(d.ProjectID, gone) })
	return nil
}

func (r *Resolver) createSeries(ctx context.Context, input db.CreateSeriesInput) (*db.Series, error) {
	client := db.FromContext(ctx)
	labels, err := reading.NewLabels(input.Labels)
	if err != nil {
		return nil, err
	}
	input.Labels = labels.Map()
	d, err := client.Device.Query().Where(device.ID(input.DeviceID)).Only(ctx)
	if err != nil {
		return nil, err
	}
	return client.Series.Create().SetInput(input).SetProjectID(d.ProjectID).Save(ctx)
}

func (r *Resolver) updateSeries(ctx context.Context, id int64, input db.UpdateSeriesInput) (*db.Series, error) {
	changed, err := db.FromContext(ctx).Series.UpdateOneID(id).SetInput(input).Save(ctx)
	if err != nil {
		return nil, err
	}
	afterCommit(ctx, func() { r.Changes.SeriesChanged(changed.ProjectID, nil) })
	return changed, nil
}

func (r *Resolver) deleteSeries(ctx context.Context, id int64) error {
	client := db.FromContext(ctx)
	s, err := client.Series.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := client.Series.DeleteOneID(id).Exec(ctx); err != nil {
		return err
	}
	afterCommit(ctx, func() { r.Changes.SeriesChanged(s.ProjectID, []int64{id}) })
	return nil
}

// deleteReadings works outside a transaction: what it deletes is an entry of the journal.
func (r *Resolver) deleteReadings(ctx context.Context, id int64, in gql.TimeRange) (*db.Series, error) {
	s, err := r.Client.Series.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := rule.Require(ctx, r.Client, s.ProjectID, auth.Editor); err != nil {
		return nil, err
	}
	from, to, err := bounds(&in)
	if err != nil || from == to {
		return s, err
	}
	_, err = r.Deletions.Delete(ctx, s.ProjectID, []reading.Deletion{{Series: id, From: from, To: to}})
	return s, err
}

func (r *Resolver) createKey(ctx context.Context, input gql.CreateKeyInput) (*gql.CreateKeyPayload, error) {
	spec := auth.KeySpec{
		Project: input.ProjectID, Device: input.DeviceID, Expires: input.ExpiresAt, Scopes: auth.Ingest | auth.Read,
	}
	if input.Scopes != nil {
		var err error
		if spec.Scopes, err = auth.ParseScopes(strings.ToLower(strings.Join(input.Scopes, ","))); err != nil {
			return nil, fault.New(fault.Invalid, "scopes are some of INGEST, READ and ADMIN, each once")
		}
	}
	if input.Name != nil {
		spec.Name = *input.Name
	}
	k, secret, err := auth.CreateKey(ctx, db.FromContext(ctx), spec)
	if err != nil {
		return nil, err
	}
	return &gql.CreateKeyPayload{Key: k, Secret: secret}, nil
}

func (r *Resolver) deleteKey(ctx context.Context, id int64) error {
	return db.FromContext(ctx).Key.DeleteOneID(id).Exec(ctx)
}

// afterCommit runs f when the transaction of the request has been committed.
func afterCommit(ctx context.Context, f func()) {
	db.TxFromContext(ctx).OnCommit(func(next db.Committer) db.Committer {
		return db.CommitFunc(func(ctx context.Context, tx *db.Tx) error {
			err := next.Commit(ctx, tx)
			if err == nil {
				f()
			}
			return err
		})
	})
}
