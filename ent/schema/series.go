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

// Series is what readings belong to: a device's metric with labels, in one unit. Its readings are not here but in the
// journal, by this entity's id.
type Series struct{ ent.Schema }

// Mixin of Series.
func (Series) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Series.
func (Series) Fields() []ent.Field {
	return []ent.Field{
		field.String("metric").Immutable().Validate(rule.Metric).Annotations(entgql.OrderField("METRIC")),
		field.JSON("labels", map[string]string{}).Immutable().
			Default(func() map[string]string { return map[string]string{} }).
			Annotations(entsql.DefaultExpr("'{}'"), entgql.Type("Labels")),
		field.String("unit").Validate(rule.Unit).Default("").Comment("UCUM code; empty when nobody has said"),
		field.Int64("project_id").Immutable().Annotations(entgql.Skip(entgql.SkipMutationCreateInput)),
		field.Int64("device_id").Immutable(),
	}
}

// Edges of Series.
func (Series) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("project", Project.Type).Ref("series").Field("project_id").Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipMutationCreateInput)),
		edge.From("device", Device.Type).Ref("series").Field("device_id").Unique().Required().Immutable(),
	}
}

// Indexes of Series.
func (Series) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("device_id", "metric", "labels").Unique(), // a reading's series
		index.Fields("project_id", "metric"),                   // a metric over all devices of a project
	}
}

// Policy of Series.
func (Series) Policy() ent.Policy { return rule.Series() }

// Annotations of Series.
func (Series) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("series"),
		entgql.RelayConnection(), entgql.QueryField("series"),
		entgql.Mutations(entgql.MutationCreate(), entgql.MutationUpdate()),
	}
}
