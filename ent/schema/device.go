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

// Device is a hardware node, phone, agent or remote system that sends readings.
type Device struct{ ent.Schema }

// Mixin of Device.
func (Device) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Device.
func (Device) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable().Validate(rule.DeviceName).
			Comment("unique in its project; what readings name").
			Annotations(entgql.OrderField("NAME")),
		field.String("description").MaxLen(1024).Default(""),
		field.Int64("project_id").Immutable(),
	}
}

// Edges of Device.
func (Device) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("project", Project.Type).Ref("devices").Field("project_id").Unique().Required().Immutable(),
		owned("series", Series.Type, open),
		owned("keys", Key.Type, hidden),
	}
}

// Indexes of Device.
func (Device) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "name").Unique(), // a reading's device
	}
}

// Policy of Device.
func (Device) Policy() ent.Policy { return rule.Device() }

// Annotations of Device.
func (Device) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("devices"),
		entgql.RelayConnection(), entgql.QueryField(),
		entgql.Mutations(entgql.MutationCreate(), entgql.MutationUpdate()),
	}
}
