// Package rule says who may see and change which entity; what no rule allows is denied.
//
//	                 viewer   editor                 owner
//	Project          see      see                    see, change, delete
//	Device, Series   see      make, change, delete   make, change, delete
//	Member           see      see                    make, change, delete
//	own membership   delete   delete                 delete, unless nobody else is owner
//	Key                                              see, make, change, delete
//
// A person sees and ends their own sessions; challenges are seen by the program alone, which also makes and changes people.
//
// A project's key counts as a viewer with the scope read and as an owner with admin. A device's key sees, with read, its
// own device, that device's series and its project, and changes nothing. What somebody may not see does not exist for
// them: queries are narrowed, so that a foreign id and an unknown one have one answer. What they may see but not change
// is forbidden.
//
// The rules hold for all that goes through ent. Hand-written SQL must take ids that an ent query has answered. Start
// reading in entity.go: one function an entity.
package rule

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/privacy"
	"github.com/readout-dev/readout/internal/fault"
)

// errNotFound is the answer to a foreign id as to an unknown one.
var errNotFound = fault.New(fault.NotFound, "not found")

func policy(see privacy.QueryRule, change privacy.MutationRule) ent.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{see, privacy.AlwaysDenyRule()},
		Mutation: privacy.MutationPolicy{change, privacy.AlwaysDenyRule()},
	}
}

// narrow adds what the principal may see to a query by where. The anonymous are refused; the program sees all.
func narrow(ctx context.Context, where func(func(*sql.Selector)), visible func(*auth.Principal, *sql.Selector) *sql.Predicate) error {
	p := auth.FromContext(ctx)
	switch {
	case p == nil:
		return fault.New(fault.Unauthenticated, "this needs a credential: log in, or send a key")
	case p.Kind == auth.Program:
		return privacy.Allow
	case !p.Can(auth.Read):
		return fault.New(fault.Forbidden, "the key lacks the scope read")
	}
	where(func(s *sql.Selector) { s.Where(visible(p, s)) })
	return privacy.Allow
}

// inProject holds for rows whose column names a project in which p is at least what least says.
func inProject(p *auth.Principal, column string, least auth.Role) *sql.Predicate {
	if p.Kind != auth.User {
		if keyRole(p) < least {
			return sql.False()
		}
		return sql.EQ(column, p.Project)
	}
	roles := make([]any, 0, 3)
	for r := least; r <= auth.Owner; r++ {
		roles = append(roles, r.String())
	}
	m := sql.Table(member.Table)
	return sql.In(column, sql.Select(m.C(member.FieldProjectID)).From(m).
		Where(sql.And(sql.EQ(m.C(member.FieldUserID), p.User), sql.In(m.C(member.FieldRole), roles...))))
}

// keyRole is what a key counts as in its own project.
func keyRole(p *auth.Principal) auth.Role {
	switch {
	case p.Can(auth.Admin) && p.Kind == auth.ProjectKey:
		return auth.Owner
	case p.Can(auth.Read):
		return auth.Viewer
	}
	return 0
}

// RoleIn returns what the principal of ctx is in a project: a fault NotFound if nothing, as for a project that does not
// exist. One query for people, none for keys.
func RoleIn(ctx context.Context, client *db.Client, project int64) (auth.Role, error) {
	p := auth.FromContext(ctx)
	switch {
	case p == nil:
		return 0, fault.New(fault.Unauthenticated, "this needs a credential: log in, or send a key")
	case p.Kind == auth.Program:
		return auth.Owner, nil
	case p.Kind != auth.User:
		if r := keyRole(p); r > 0 && p.Project == project {
			return r, nil
		}
		return 0, errNotFound
	}
	m, err := client.Member.Query().
		Where(member.ProjectID(project), member.UserID(p.User)).
		Only(auth.NewContext(ctx, auth.System()))
	if db.IsNotFound(err) {
		return 0, errNotFound
	}
	if err != nil {
		return 0, err
	}
	return auth.ParseRole(m.Role.String())
}

// Require returns a fault unless the principal of ctx is at least what least says in a project: NotFound for who has no
// part in it, Forbidden for who has too little.
func Require(ctx context.Context, client *db.Client, project int64, least auth.Role) error {
	role, err := RoleIn(ctx, client, project)
	if err != nil {
		return err
	}
	if role < least {
		return fault.New(fault.Forbidden, "this needs the role %s in the project", least)
	}
	return nil
}

// mutation is what all mutations of entities that belong to a project share.
type mutation interface {
	Op() ent.Op
	ID() (int64, bool)
	ProjectID() (int64, bool)
	Client() *db.Client
}

// change allows a mutation of one entity to who is at least what least says in its project. projectOf answers the
// project of an entity that the principal may see. Changes of many at once are the program's own.
func change(ctx context.Context, m mutation, least auth.Role, projectOf func(context.Context, int64) (int64, error)) error {
	if p := auth.FromContext(ctx); p != nil && p.Kind == auth.Program {
		return privacy.Allow
	}
	project, err := projectOfMutation(ctx, m, projectOf)
	if err != nil {
		return err
	}
	if err := Require(ctx, m.Client(), project, least); err != nil {
		return err
	}
	return privacy.Allow
}

func projectOfMutation(ctx context.Context, m mutation, projectOf func(context.Context, int64) (int64, error)) (int64, error) {
	if m.Op().Is(ent.OpCreate) {
		project, ok := m.ProjectID()
		if !ok {
			return 0, privacy.Deny
		}
		return project, nil
	}
	id, ok := m.ID()
	if !ok {
		return 0, privacy.Deny
	}
	project, err := projectOf(ctx, id)
	if db.IsNotFound(err) {
		return 0, errNotFound
	}
	return project, err
}
