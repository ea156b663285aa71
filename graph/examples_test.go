package graph_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/web"
)

// What the playground shows first must work.
func TestPlaygroundExamplesFitTheSchema(t *testing.T) {
	t.Parallel()
	schema := gql.NewExecutableSchema(gql.Config{}).Schema()
	document, errs := gqlparser.LoadQueryWithRules(schema, web.Examples(), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	w := setup(t)
	w.send(w.ours.series, 1)
	for _, o := range document.Operations {
		if o.Operation != ast.Query {
			continue
		}
		a := w.post("viewer", map[string]any{"query": web.Examples(), "operationName": o.Name})
		if a.code() != ok {
			t.Errorf("%s: %s", o.Name, a.Body)
		}
	}
}
