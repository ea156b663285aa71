package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
)

// An edge is open when filters may reach through it. Filters do not pass the rules of what they reach, so an edge to
// what not everybody may see is hidden from them: a filter's answer would tell what it holds.
const (
	open   = entgql.SkipMode(0)
	hidden = entgql.SkipWhereInput
)

// owned is an edge to what goes when its owner goes, as a Relay connection.
func owned(name string, t any, filter entgql.SkipMode) ent.Edge {
	return edge.To(name, t).Annotations(
		entsql.OnDelete(entsql.Cascade),
		entgql.RelayConnection(),
		entgql.Skip(entgql.SkipMutationCreateInput, entgql.SkipMutationUpdateInput, filter),
	)
}
