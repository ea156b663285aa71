package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/readout-dev/readout/ent/rule"
)

// Session is a log-in of a person: what its access tokens name, and its refresh token renews. A session that has ended is
// deleted.
type Session struct{ ent.Schema }

// Mixin of Session.
func (Session) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("user_id").Immutable(),
		field.Bytes("family").Immutable().Unique().Sensitive().MaxLen(32).
			Comment("SHA-256 of what all refresh tokens of the session begin with"),
		field.Bytes("hash").Sensitive().MaxLen(32).
			Comment("SHA-256 of the refresh token; the token itself is sent once and kept nowhere"),
		field.Bytes("previous").Optional().Nillable().Sensitive().MaxLen(32).
			Comment("SHA-256 of the refresh token before that one"),
		field.Time("rotated_at").Comment("when that one was given for this one"),
		field.Time("seen_at").Comment("when somebody logged in or refreshed last"),
		field.Time("expires_at").Immutable().Comment("when the session ends, however often it is refreshed"),
		field.String("agent").Immutable().MaxLen(128).Default("").Comment("what the client calls itself"),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sessions").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "seen_at"), // the sessions of a person, and their deletion
		index.Fields("seen_at"),            // those that nobody uses any more
	}
}

// Policy of Session.
func (Session) Policy() ent.Policy { return rule.Session() }

// Annotations of Session.
func (Session) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("sessions"), entgql.Skip(entgql.SkipAll)}
}
