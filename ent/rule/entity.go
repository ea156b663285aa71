package rule

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/ent/db/privacy"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
)

// User is the policy of users: seen by themselves and by who shares a project with them, made and changed by the account
// endpoints alone.
func User() ent.Policy {
	return policy(privacy.UserQueryRuleFunc(func(ctx context.Context, q *db.UserQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.User(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				m := sql.Table(member.Table)
				shared := sql.Select(m.C(member.FieldUserID)).From(m).
					Where(people(p, inProject(p, m.C(member.FieldProjectID), auth.Viewer)))
				return sql.Or(sql.EQ(s.C(user.FieldID), p.User), sql.In(s.C(user.FieldID), shared))
			})
	}), privacy.UserMutationRuleFunc(func(ctx context.Context, _ *db.UserMutation) error {
		return program(ctx)
	}))
}

// Session is the policy of sessions: seen and ended by the person whose they are, made and renewed by the account endpoints
// alone.
func Session() ent.Policy {
	return policy(privacy.SessionQueryRuleFunc(func(ctx context.Context, q *db.SessionQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Session(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return themselves(p, s.C(session.FieldUserID))
			})
	}), privacy.SessionMutationRuleFunc(func(ctx context.Context, m *db.SessionMutation) error {
		p := auth.FromContext(ctx)
		switch {
		case p == nil:
			return privacy.Deny
		case p.Kind == auth.Program:
			return privacy.Allow
		case p.Kind == auth.User && m.Op().Is(ent.OpDeleteOne): // who hears of changes asks what many are before a rule narrows them
			m.Where(session.UserID(p.User))
			return privacy.Allow
		}
		return privacy.Deny
	}))
}

// Challenge is the policy of challenges: for the account endpoints alone.
func Challenge() ent.Policy {
	return policy(privacy.ChallengeQueryRuleFunc(func(ctx context.Context, _ *db.ChallengeQuery) error {
		return program(ctx)
	}), privacy.ChallengeMutationRuleFunc(func(ctx context.Context, _ *db.ChallengeMutation) error {
		return program(ctx)
	}))
}

// program allows what the program does for itself, and nothing else.
func program(ctx context.Context) error {
	if p := auth.FromContext(ctx); p != nil && p.Kind == auth.Program {
		return privacy.Allow
	}
	return privacy.Deny
}

// themselves holds for rows whose column names the person who asks.
func themselves(p *auth.Principal, column string) *sql.Predicate {
	if p.Kind != auth.User {
		return sql.False()
	}
	return sql.EQ(column, p.User)
}

// Project is the policy of projects. Any person may make one: whoever makes it is made its owner with it.
func Project() ent.Policy {
	return policy(privacy.ProjectQueryRuleFunc(func(ctx context.Context, q *db.ProjectQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Project(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return inProject(p, s.C(project.FieldID), auth.Viewer)
			})
	}), privacy.ProjectMutationRuleFunc(func(ctx context.Context, m *db.ProjectMutation) error {
		p := auth.FromContext(ctx)
		if p != nil && (p.Kind == auth.Program || p.Kind == auth.User && m.Op().Is(ent.OpCreate)) {
			return privacy.Allow
		}
		id, ok := m.ID()
		if !ok {
			return privacy.Deny
		}
		if err := Require(ctx, m.Client(), id, auth.Owner); err != nil {
			return err
		}
		return privacy.Allow
	}))
}

// Member is the policy of memberships.
func Member() ent.Policy {
	return policy(privacy.MemberQueryRuleFunc(func(ctx context.Context, q *db.MemberQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Member(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return people(p, inProject(p, s.C(member.FieldProjectID), auth.Viewer))
			})
	}), privacy.MemberMutationRuleFunc(func(ctx context.Context, m *db.MemberMutation) error {
		if leaves(ctx, m) {
			return privacy.Allow
		}
		return change(ctx, m, auth.Owner, func(ctx context.Context, id int64) (int64, error) {
			return m.Client().Member.Query().Where(member.ID(id)).QueryProject().OnlyID(ctx)
		})
	}))
}

// Key is the policy of keys: for owners alone, as a key can do much of what an owner can.
func Key() ent.Policy {
	return policy(privacy.KeyQueryRuleFunc(func(ctx context.Context, q *db.KeyQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Key(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return inProject(p, s.C(key.FieldProjectID), auth.Owner)
			})
	}), privacy.KeyMutationRuleFunc(func(ctx context.Context, m *db.KeyMutation) error {
		if err := sameProject(ctx, m, m.DeviceID); err != nil {
			return err
		}
		return change(ctx, m, auth.Owner, func(ctx context.Context, id int64) (int64, error) {
			return m.Client().Key.Query().Where(key.ID(id)).QueryProject().OnlyID(ctx)
		})
	}))
}

// Device is the policy of devices.
func Device() ent.Policy {
	return policy(privacy.DeviceQueryRuleFunc(func(ctx context.Context, q *db.DeviceQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Device(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return ownDevice(p, s.C(device.FieldID), inProject(p, s.C(device.FieldProjectID), auth.Viewer))
			})
	}), privacy.DeviceMutationRuleFunc(func(ctx context.Context, m *db.DeviceMutation) error {
		return change(ctx, m, auth.Editor, func(ctx context.Context, id int64) (int64, error) {
			return m.Client().Device.Query().Where(device.ID(id)).QueryProject().OnlyID(ctx)
		})
	}))
}

// Series is the policy of series.
func Series() ent.Policy {
	return policy(privacy.SeriesQueryRuleFunc(func(ctx context.Context, q *db.SeriesQuery) error {
		return narrow(ctx, func(f func(*sql.Selector)) { q.Where(predicate.Series(f)) },
			func(p *auth.Principal, s *sql.Selector) *sql.Predicate {
				return ownDevice(p, s.C(series.FieldDeviceID), inProject(p, s.C(series.FieldProjectID), auth.Viewer))
			})
	}), privacy.SeriesMutationRuleFunc(func(ctx context.Context, m *db.SeriesMutation) error {
		if err := sameProject(ctx, m, m.DeviceID); err != nil {
			return err
		}
		return change(ctx, m, auth.Editor, func(ctx context.Context, id int64) (int64, error) {
			return m.Client().Series.Query().Where(series.ID(id)).QueryProject().OnlyID(ctx)
		})
	}))
}

// leaves reports whether a mutation deletes the membership of who asks: anybody may leave.
func leaves(ctx context.Context, m *db.MemberMutation) bool {
	id, ok := m.ID()
	p := auth.FromContext(ctx)
	if !ok || !m.Op().Is(ent.OpDeleteOne) || p == nil || p.Kind != auth.User {
		return false
	}
	own, err := m.Client().Member.Query().Where(member.ID(id), member.UserID(p.User)).Exist(ctx)
	return err == nil && own
}

// people hides people and memberships from devices' keys.
func people(p *auth.Principal, visible *sql.Predicate) *sql.Predicate {
	if p.Kind == auth.DeviceKey {
		return sql.False()
	}
	return visible
}

// ownDevice leaves a device's key nothing but its own device.
func ownDevice(p *auth.Principal, column string, visible *sql.Predicate) *sql.Predicate {
	if p.Kind == auth.DeviceKey {
		return sql.And(visible, sql.EQ(column, p.Device))
	}
	return visible
}

// sameProject refuses to put something new into one project that hangs on a device of another.
func sameProject(ctx context.Context, m mutation, deviceID func() (int64, bool)) error {
	id, ok := deviceID()
	if !ok || !m.Op().Is(ent.OpCreate) {
		return nil
	}
	d, err := m.Client().Device.Get(ctx, id)
	if db.IsNotFound(err) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	if project, _ := m.ProjectID(); d.ProjectID != project {
		return errNotFound
	}
	return nil
}
