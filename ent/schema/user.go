package schema

import (
	"encoding/json"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/readout-dev/readout/ent/rule"
)

// User is a person with an account; what a person may do is said by their memberships.
type User struct{ ent.Schema }

// Mixin of User.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").MaxLen(254).Unique().Comment("lower case; what the person logs in with"),
		field.String("name").MaxLen(128).Default(""),
		field.String("password").Sensitive().
			Comment("argon2id, PHC string format").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Time("verified_at").Optional().Nillable().
			Comment("when the person proved that the address is theirs; nil: not yet, so that they cannot log in").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("zone").Validate(rule.Zone).Default("UTC").
			Comment("IANA name").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.JSON("settings", json.RawMessage{}).
			Default(func() json.RawMessage { return json.RawMessage("{}") }).
			Comment("an object of what front ends keep for the person").
			Annotations(entsql.DefaultExpr("'{}'"), entgql.Skip(entgql.SkipAll)),
	}
}

// Edges of User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		own("memberships", Member.Type), own("sessions", Session.Type), own("challenges", Challenge.Type),
	}
}

// own is an edge to what goes when the person goes, and is reached by other ways than from them.
func own(name string, t any) ent.Edge {
	return edge.To(name, t).Annotations(entsql.OnDelete(entsql.Cascade), entgql.Skip(entgql.SkipAll))
}

// Policy of User.
func (User) Policy() ent.Policy { return rule.User() }

// Annotations of User.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("users")}
}
