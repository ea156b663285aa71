package schema

import (
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
)

// base gives every entity its id and the time it was made.
type base struct{ mixin.Schema }

// Fields of every entity.
func (base) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		// The default is truncated to what PostgreSQL stores, so that a mutation answers what the next query will.
		field.Time("created_at").
			Immutable().
			Default(func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }).
			Annotations(
				entsql.DefaultExpr("now()"),
				entgql.OrderField("CREATED_AT"),
				entgql.Skip(entgql.SkipMutationCreateInput, entgql.SkipMutationUpdateInput),
			),
	}
}
