package arch

import (
	"fmt"
	"testing"
)

// wall says of packages what they never import, though it may stand below them.
type wall struct {
	of, not []string
	why     string
}

var walls = []wall{
	{
		[]string{"history", "journal", "live", "pack", "stats", "tail", "verify"},
		[]string{"auth", "ent/..."},
		"the engines do not know who asks: rights are settled before they are called",
	},
	{
		[]string{"graph/...", "web", "auth", "export", "tail", "live", "reading", "stats", "cmd/..."},
		[]string{"database/sql", "github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgconn", "github.com/jackc/pgx/v5/stdlib"},
		"only store speaks to PostgreSQL, beside ent",
	},
	{
		[]string{"graph/...", "auth", "export", "tail", "live", "reading", "stats", "internal/problem"},
		[]string{"github.com/jackc/pgx/v5/..."},
		"it needs no pool: what it asks of the database goes through ent or an engine",
	},
	{
		[]string{"history", "ingest", "journal", "pack", "verify", "internal/testdb"},
		[]string{"github.com/jackc/pgx/v5/pgconn"},
		"only store reads SQLSTATE",
	},
	{
		[]string{"auth", "export", "history", "ingest", "journal", "live", "pack", "reading", "stats", "store", "tail", "verify", "web", "internal/..."},
		[]string{"github.com/99designs/gqlgen/...", "github.com/vektah/gqlparser/...", "entgo.io/contrib/..."},
		"only graph, and the entities that ent generates for it, know GraphQL",
	},
	{
		[]string{"graph/transport", "graph/scalar"},
		[]string{"auth", "reading", "ent/..."},
		"it carries GraphQL and knows nothing of what is asked",
	},
	{
		[]string{"web"},
		[]string{"internal/..."},
		"it serves files",
	},
	{
		[]string{"auth", "ent/...", "export", "graph/...", "history", "ingest", "journal", "live", "pack", "reading", "stats", "store", "tail", "verify", "web", "cmd/..."},
		[]string{"internal/testdb", "testing", "pgregory.net/rapid", "go.uber.org/goleak"},
		"it is for tests",
	},
}

// exempt are files of generated code that break a wall by their nature.
var exempt = []string{"ent/db/enttest"}

func TestWallsHold(t *testing.T) {
	t.Parallel()
	report(t, checkWalls(readHouse(t)))
}

func checkWalls(folders []folder) (complaints []string) {
	for _, d := range folders {
		if withinAny(d.path, exempt) {
			continue
		}
		for _, w := range walls {
			if !withinAny(d.path, w.of) {
				continue
			}
			complaints = append(complaints, w.breaches(d)...)
		}
	}
	return complaints
}

// breaches returns what the files of a folder, tests apart, import through the wall.
func (w wall) breaches(d folder) (complaints []string) {
	for _, f := range d.files {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			if withinAny(imported, w.not) {
				complaints = append(complaints, fmt.Sprintf("%s: %s must not import %s: %s", f.path, d.path, imported, w.why))
			}
		}
	}
	return complaints
}
