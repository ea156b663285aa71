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

// Key is a credential of a device (it speaks for that device alone) or of a project (it names devices).
type Key struct{ ent.Schema }

// Mixin of Key.
func (Key) Mixin() []ent.Mixin { return []ent.Mixin{base{}} }

// Fields of Key.
func (Key) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(128).Default(""),
		field.String("hint").Immutable().MaxLen(8).Comment("the last characters of the secret, to tell keys apart"),
		field.Bytes("hash").Immutable().Unique().Sensitive().MaxLen(32).
			Comment("SHA-256 of the secret; the secret itself is shown once and kept nowhere").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Strings("scopes").Immutable().
			Comment("some of INGEST, READ, ADMIN").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Time("expires_at").Optional().Nillable().Immutable(),
		field.Int64("project_id").Immutable(),
		field.Int64("device_id").Optional().Nillable().Immutable().Comment("nil for a project's key"),
	}
}

// Edges of Key.
func (Key) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("project", Project.Type).Ref("keys").Field("project_id").Unique().Required().Immutable(),
		edge.From("device", Device.Type).Ref("keys").Field("device_id").Unique().Immutable(),
	}
}

// Indexes of Key.
func (Key) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("project_id", "id"), // the keys of a project, and its deletion
		index.Fields("device_id"),        // the keys of a device, and its deletion
	}
}

// Policy of Key.
func (Key) Policy() ent.Policy { return rule.Key() }

// Annotations of Key.
func (Key) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("keys"),
		entgql.RelayConnection(),
		entgql.Mutations(entgql.MutationUpdate()),
	}
}
