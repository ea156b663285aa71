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

// Challenge is a mailed link that waits to be followed: who knows its token reads the mail of the address. One of each kind
// for a person; it is deleted when it is used.
type Challenge struct{ ent.Schema }

// Mixin of Challenge.
func (Challenge) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Challenge.
func (Challenge) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("user_id").Immutable(),
		field.Enum("kind").Values("VERIFY", "RESET", "EMAIL").Immutable().
			Comment("what the link does: verify the account, set a password, change the address"),
		field.Bytes("hash").Optional().Nillable().Unique().Sensitive().MaxLen(32).
			Comment("SHA-256 of the token; nil until the letter is written. The token itself is mailed and kept nowhere"),
		field.String("address").MaxLen(254).Comment("where the letter goes"),
		field.Time("expires_at"),
	}
}

// Edges of Challenge.
func (Challenge) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("challenges").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Challenge.
func (Challenge) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "kind").Unique(), // the challenge that a letter is written for
	}
}

// Policy of Challenge.
func (Challenge) Policy() ent.Policy { return rule.Challenge() }

// Annotations of Challenge.
func (Challenge) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("challenges"), entgql.Skip(entgql.SkipAll)}
}
