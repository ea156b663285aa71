package graph

import (
	_ "embed" // the schema of live queries
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/readout-dev/readout/graph/gql"
)

//go:embed live.graphqls
var liveSchema string

// Schema returns the schema that is served: what gqlgen has generated, and the subscription to any query, which it cannot.
func Schema() *ast.Schema {
	extension, err := parser.ParseSchema(&ast.Source{Name: "graph/live.graphqls", Input: liveSchema})
	if err != nil {
		panic(err) // it is part of the program
	}
	generated := gql.NewExecutableSchema(gql.Config{}).Schema()
	subscription := *generated.Subscription
	subscription.Fields = append(slices.Clip(subscription.Fields), extension.Extensions.ForName(subscription.Name).Fields...)

	served := *generated // which others have too
	served.Subscription = &subscription
	served.Types = maps.Clone(served.Types)
	served.Types[subscription.Name] = &subscription
	served.PossibleTypes = maps.Clone(served.PossibleTypes)
	served.PossibleTypes[subscription.Name] = []*ast.Definition{&subscription}
	return &served
}
