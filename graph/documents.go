package graph

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
)

// How many parsed and validated documents are remembered, and how long the text of one may be, in bytes: together the
// bound on their memory, some 100 MB at the very worst. Parsing again costs a small document a fifth of a millisecond.
const (
	maxDocuments    = 500
	maxDocumentText = 8 << 10
)

// documents remembers parsed documents by their text. It is told of each document once, when it has been validated and
// before it is run: the moment at which lists without a size get the default one.
type documents struct {
	graphql.Cache[*ast.QueryDocument]
}

func newDocuments() documents { return documents{lru.New[*ast.QueryDocument](maxDocuments)} }

// Add implements graphql.Cache.
func (d documents) Add(ctx context.Context, text string, parsed *ast.QueryDocument) {
	for _, o := range parsed.Operations {
		pageAll(o.SelectionSet)
	}
	for _, f := range parsed.Fragments {
		pageAll(f.SelectionSet)
	}
	if len(text) <= maxDocumentText {
		d.Cache.Add(ctx, text, parsed)
	}
}

// pageAll gives every list that can be paged and is not the default page: ent would answer all of it.
func pageAll(set ast.SelectionSet) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.InlineFragment:
			pageAll(selection.SelectionSet)
		case *ast.Field:
			if isList(selection) && !hasSize(selection) {
				selection.Arguments = append(selection.Arguments, &ast.Argument{
					Name:     "first",
					Value:    &ast.Value{Raw: strconv.Itoa(defaultPage), Kind: ast.IntValue, Position: selection.Position},
					Position: selection.Position,
				})
			}
			pageAll(selection.SelectionSet)
		}
	}
}

// hasSize reports whether a list says how long it may be.
func hasSize(f *ast.Field) bool {
	return f.Arguments.ForName("first") != nil || f.Arguments.ForName("last") != nil || f.Arguments.ForName("maxPoints") != nil
}

// isList reports whether a field takes the size of a page.
func isList(f *ast.Field) bool {
	return f.Definition != nil && f.Definition.Arguments.ForName("first") != nil
}
