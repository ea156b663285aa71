//go:build ignore

// Entc generates ent/db and ent/ent.graphqls from ent/schema. It runs from the repository's root, because entgql compares
// the paths of schema files as text with those in gqlgen.yml.
package main

import (
	"errors"
	"log"
	"os"
	"regexp"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
	"github.com/vektah/gqlparser/v2/ast"
)

func main() {
	graphql, err := entgql.NewExtension(
		entgql.WithConfigPath("gqlgen.yml"),
		entgql.WithSchemaGenerator(),
		entgql.WithSchemaPath("ent/ent.graphqls"),
		entgql.WithWhereInputs(true),
		entgql.WithRelaySpec(true),
		entgql.WithSchemaHook(withoutGqlgenDirectives),
	)
	if err != nil {
		log.Fatalf("make entgql extension: %v", err)
	}
	err = entc.Generate("./ent/schema", &gen.Config{
		Target:  "ent/db",
		Package: "github.com/readout-dev/readout/ent/db",
		Features: []gen.Feature{
			gen.FeatureUpsert, gen.FeatureLock, gen.FeatureModifier, gen.FeatureExecQuery,
			gen.FeatureVersionedMigration, gen.FeatureGlobalID, gen.FeatureIntercept, gen.FeaturePrivacy, gen.FeatureSnapshot,
		},
	}, entc.Extensions(graphql))
	if err != nil {
		log.Fatalf("generate ent/db: %v", err)
	}
	if err := emptyListsMatchNothing("ent/db/gql_where_input.go"); err != nil {
		log.Fatalf("mend filters: %v", err)
	}
}

// emptyListsMatchNothing mends the generated filters: entgql takes `idIn: []` for no filter at all, so that whoever has
// selected nothing gets everything. A list that is given and empty matches nothing, and its negation everything.
func emptyListsMatchNothing(file string) error {
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ignored := regexp.MustCompile(`if len\((i\.\w+In)\) > 0 \{`)
	if !ignored.Match(code) {
		return errors.New("the generated filters look different: see whether empty lists are mended")
	}
	return os.WriteFile(file, ignored.ReplaceAll(code, []byte("if $1 != nil {")), 0o644)
}

// withoutGqlgenDirectives leaves gqlgen's own directives to schema.graphqls: entgql's copy lacks their newer arguments.
func withoutGqlgenDirectives(_ *gen.Graph, s *ast.Schema) error {
	delete(s.Directives, "goField")
	delete(s.Directives, "goModel")
	return nil
}
