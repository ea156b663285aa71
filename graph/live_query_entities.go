package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/entity"
)

// entitiesIn returns the entities that a query may tell of. Those that most tell of in some way, if only by the order of its
// answer, count always; others where a field is of their type, as no filter but that of members looks at them.
func entitiesIn(set ast.SelectionSet) entity.Type {
	types := entity.Project | entity.Device | entity.Series
	eachField(set, map[string]bool{}, func(f *ast.Field) {
		for name, t := range map[string]entity.Type{
			"Member": entity.Member | entity.User, "User": entity.User, "Key": entity.Key, "Node": entity.All,
		} {
			if f.Definition != nil && strings.Contains(f.Definition.Type.Name(), name) { // or a connection of them
				types |= t
			}
		}
	})
	return types
}

// eachField calls do with each field of a selection, at whatever depth, but once for each fragment that was not met before.
func eachField(set ast.SelectionSet, met map[string]bool, do func(*ast.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			do(s)
			eachField(s.SelectionSet, met, do)
		case *ast.InlineFragment:
			eachField(s.SelectionSet, met, do)
		case *ast.FragmentSpread:
			if !met[s.Name] {
				met[s.Name] = true
				eachField(s.Definition.SelectionSet, met, do)
			}
		}
	}
}
