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

// Member is a user in a project, with a role.
type Member struct{ ent.Schema }

// Mixin of Member.
func (Member) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("role").Values("VIEWER", "EDITOR", "OWNER"),
		field.Int64("project_id").Immutable(),
		field.Int64("user_id").Immutable(),
	}
}

// Edges of Member.
func (Member) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("project", Project.Type).Ref("members").Field("project_id").Unique().Required().Immutable(),
		edge.From("user", User.Type).Ref("memberships").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Member.
func (Member) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "user_id").Unique(),
		index.Fields("user_id", "project_id"), // the projects of a user: asked by every rule
	}
}

// Policy of Member.
func (Member) Policy() ent.Policy { return rule.Member() }

// Annotations of Member.
func (Member) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("members"),
		entgql.RelayConnection(),
		entgql.Mutations(entgql.MutationUpdate()),
	}
}
