package graph_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/web"
)

// What the playground shows first must work.
func TestPlaygroundExamplesFitTheSchema(t *testing.T) {
	t.Parallel()
	schema := graph.Schema()
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

// graphqlBlock is an example in a page of docs.
var graphqlBlock = regexp.MustCompile("(?s)\n```graphql\n(.*?)\n```\n")

// So must what the pages show: all of it fits the schema, and queries are answered.
func TestDocumentedExamplesWork(t *testing.T) {
	t.Parallel()
	var examples [][][]byte
	for page, least := range map[string]int{"../docs/api.md": 10, "../docs/live.md": 4, "../README.md": 3} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := graphqlBlock.FindAllSubmatch(text, -1)
		if len(found) < least {
			t.Fatalf("found %d examples in %s: they are written in some other way", len(found), page)
		}
		examples = append(examples, found...)
	}
	schema := graph.Schema()
	w := setup(t)
	w.send(w.ours.series, 1)
	for _, e := range examples {
		text := strings.ReplaceAll(string(e[1]), `"17179869184"`, `"`+id(w.ours.series)+`"`)
		document, errs := gqlparser.LoadQueryWithRules(schema, text, nil)
		if len(errs) > 0 {
			t.Errorf("%s\n%v", text, errs)
			continue
		}
		if document.Operations[0].Operation != ast.Query {
			continue
		}
		if a := w.ask("viewer", text); a.code() != ok {
			t.Errorf("%s\n%s", text, a.Body)
		}
	}
}
