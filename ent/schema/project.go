package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/readout-dev/readout/ent/rule"
)

// Project is the tenant: it owns devices, series, keys and the journal of what they sent.
type Project struct{ ent.Schema }

// Mixin of Project.
func (Project) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// maxKeepDays is longer than anybody has kept readings yet.
const maxKeepDays = 100 * 366

// Fields of Project.
func (Project) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MinLen(1).MaxLen(128).Annotations(entgql.OrderField("NAME")),
		field.Bool("auto_create_devices").Default(true).
			Comment("whether readings sent with a project key make the devices they name"),
		field.Int("keep_readings_days").Default(0).Range(0, maxKeepDays).
			Comment("how many days readings are kept at least, by their time; 0 is for ever"),
		field.Int("keep_rollups_days").Default(0).Range(0, maxKeepDays).
			Comment("how many days the statistics of hours and days are kept at least; 0 is for ever"),
		field.Int("resume_hours").Default(24).Range(1, 7*24).
			Comment("how long the journal is kept at least, for subscriptions that go on after a cursor"),
	}
}

// Edges of Project.
func (Project) Edges() []ent.Edge {
	return []ent.Edge{
		owned("members", Member.Type, hidden), owned("keys", Key.Type, hidden),
		owned("devices", Device.Type, hidden), owned("series", Series.Type, hidden),
	}
}

// Policy of Project.
func (Project) Policy() ent.Policy { return rule.Project() }

// Annotations of Project.
func (Project) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("projects"),
		entgql.RelayConnection(), entgql.QueryField(),
		entgql.Mutations(entgql.MutationCreate(), entgql.MutationUpdate()),
	}
}
