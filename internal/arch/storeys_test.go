package arch

import (
	"fmt"
	"strings"
	"testing"
)

// storeys is the plan, from the roof down: a package may import packages of lower storeys, and no other. Packages of one
// storey do not know each other, but those under one "/..." do.
var storeys = [][]string{
	{"cmd/...", "bench/..."}, // programs: they wire
	{"graph", "web"},
	{"graph/gql", "graph/transport"},
	{"graph/scalar"},
	{"export"},
	{"analysis"},                     // statistics of what history reads
	{"account", "history", "verify"}, // history reads what pack and tail hold as one
	{"ingest", "job", "live", "mail", "pack", "tail", "internal/testdb"}, // engines: serve.go connects them
	{"journal"},
	{"store"},
	{"store/migrations"},
	{"ent/db/enttest"}, // generated, and not used
	{"ent/db/runtime"}, // generated: hooks the rules into ent's client
	{"ent/schema"},
	{"ent/rule", "ent/hook"},
	{"auth"},
	{"ent/db/..."}, // generated
	{"stats", "entity"},
	{"client", "reading", "internal/forge", "internal/greenhouse", "internal/sender", "internal/problem", "internal/edge"},
	{"internal/fault"},
	{"ent", "internal/arch"}, // no code
}

func TestImportsGoDownTheStoreys(t *testing.T) {
	t.Parallel()
	report(t, checkStoreys(readHouse(t)))
}

func checkStoreys(folders []folder) (complaints []string) {
	known := map[string]bool{}
	for _, d := range folders {
		known[d.path] = true
	}
	for _, d := range folders {
		from, group := storey(d.path)
		if from < 0 {
			complaints = append(complaints, fmt.Sprintf("%s is on no storey: give it a place in storeys_test.go", d.path))
			continue
		}
		for _, f := range d.files {
			if f.test {
				continue // tests may start whatever they need
			}
			for _, imported := range f.imports() {
				to, other := storey(imported)
				if !known[imported] || to < 0 || to > from || to == from && other == group && strings.HasSuffix(group, "/...") {
					continue
				}
				where := "is above it"
				if to == from {
					where = "stands beside it"
				}
				complaints = append(complaints, fmt.Sprintf("%s: %s imports %s, which %s: imports go down only (storeys_test.go)",
					f.path, d.path, imported, where))
			}
		}
	}
	return complaints
}

// storey returns the number of a package's storey, counted from the roof, and the pattern that put it there: the longest
// that fits. It returns -1 for a package without a place.
func storey(name string) (number int, pattern string) {
	number = -1
	for i, level := range storeys {
		for _, p := range level {
			if within(name, p) && len(p) > len(pattern) {
				number, pattern = i, p
			}
		}
	}
	return number, pattern
}

// report fails the test with each complaint.
func report(t *testing.T, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}
