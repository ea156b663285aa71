package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
)

func TestRevokedKeyIsRefusedOnItsOpenSocket(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("adminKey", fmt.Sprintf(`project: %d, series: {}`, w.ours.project))
	s.next()
	w.ask("owner", `mutation { deleteKey(id: `+id(w.keys["adminKey"])+`) }`)
	mint := fmt.Sprintf(`mutation { createKey(input: {projectID: %d, scopes: [READ]}) { secret } }`, w.ours.project)
	for start, n := time.Now(), 2; ; n++ { // each operation with an id of its own
		s.write(map[string]any{"type": "subscribe", "id": fmt.Sprint(n), "payload": map[string]string{"query": mint}})
		e := s.next()
		if e.close == 4403 || e.code == "UNAUTHENTICATED" {
			return
		}
		if e.close != 0 {
			t.Fatalf("the socket ends with %d, want 4403", e.close)
		}
		if time.Since(start) > 2*time.Second {
			t.Fatal("a revoked key still makes keys")
		}
	}
}

func TestKeyCannotMakeAMightierOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for scopes, want := range map[string]string{"[READ]": "ok", "[READ, ADMIN]": "ok", "[INGEST]": "FORBIDDEN"} { // adminKey has READ and ADMIN
		a := w.ask("adminKey", fmt.Sprintf(`mutation { createKey(input: {projectID: %d, scopes: %s}) { secret } }`, w.ours.project, scopes))
		if a.code() != want {
			t.Errorf("%s: got %s, want %s", scopes, a.Body, want)
		}
	}
}

func TestListsHaveAPageWhereverTheyStand(t *testing.T) {
	t.Parallel()
	w := setup(t)
	system := auth.NewContext(t.Context(), auth.System())
	for i := range 60 {
		w.client.Device.Create().SetProjectID(w.ours.project).SetName(fmt.Sprint("d", i)).ExecX(system)
	}
	for arguments, want := range map[string]int{"": 50, "(first: 7)": 7, "(last: 3)": 3, "(first: $n)": 5} {
		a := w.ask("viewer", `query($n: Int) { n: __typename projects { edges { node { devices`+arguments+` { edges { node { id } } } } } } x: devices(first: $n) { totalCount } }`, "n", 5)
		list, _ := a.at("projects", "edges", 0, "node", "devices", "edges").([]any)
		if len(list) != want {
			t.Errorf("devices%s: got %d, want %d: %.300s", arguments, len(list), want, a.Body)
		}
	}
	for arguments, variable := range map[string]any{"(first: 1001)": 1, "(first: 0)": 1, "(first: $n)": nil, "(last: null)": 1} {
		a := w.ask("viewer", `query($n: Int) { projects { edges { node { devices`+arguments+` { edges { node { id } } } } } } x: devices(first: $n) { totalCount } }`, "n", variable)
		if a.code() != "BAD_USER_INPUT" {
			t.Errorf("devices%s with $n = %v: got %.300s", arguments, variable, a.Body)
		}
	}
}

func TestEmptyListMatchesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	for where, want := range map[string]int{`idIn: []`: 0, `metricIn: []`: 0, `idNotIn: []`: 1, `or: [{idIn: []}, {metric: "temperature"}]`: 1, `not: {idIn: []}`: 1} {
		a := w.ask("viewer", `{ series(where: {`+where+`}) { edges { node { id } } } }`)
		if list, _ := a.at("series", "edges").([]any); len(list) != want || a.code() != ok {
			t.Errorf("%s: got %s, want %d", where, a.Body, want)
		}
	}
}

func TestEmptyFiltersAreTheClientsMistake(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, where := range []string{`not: {}`, `or: [{}]`, `and: [{}]`, `hasDeviceWith: [{}]`} {
		if a := w.ask("viewer", `{ series(where: {`+where+`}) { totalCount } }`); a.code() != "BAD_USER_INPUT" {
			t.Errorf("%s: got %s", where, a.Body)
		}
	}
	if log := w.log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("a client's mistake is logged as our fault: %s", log)
	}
}

func TestMutationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	project := w.ours.project
	a := w.ask("owner", fmt.Sprintf(`mutation {
		a: createDevice(input: {projectID: %d, name: "new"}) { id }
		b: createDevice(input: {projectID: %d, name: "boiler"}) { id }
		c: createDevice(input: {projectID: %d, name: "newer"}) { id } }`, project, project, project))
	if a.code() != "CONFLICT" || len(a.Errors) != 1 || a.Data != nil {
		t.Errorf("got %s, want one CONFLICT and no data", a.Body)
	}
	if n := w.client.Device.Query().CountX(auth.NewContext(t.Context(), auth.System())); n != 2 {
		t.Errorf("got %d devices, want the two from before", n)
	}
}

func TestFailedCommitIsAnErrorOfOurs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, err := w.pool.Exec(t.Context(), `create function refuse() returns trigger language plpgsql as $$ begin raise 'secret detail'; end $$;
		create constraint trigger refuse after insert on devices deferrable initially deferred for each row execute function refuse()`)
	if err != nil {
		t.Fatal(err)
	}
	a := w.ask("owner", fmt.Sprintf(`mutation { createDevice(input: {projectID: %d, name: "new"}) { id } }`, w.ours.project))
	if a.code() != "INTERNAL_SERVER_ERROR" || strings.Contains(a.Body, "secret") || a.Data != nil {
		t.Errorf("got %s", a.Body)
	}
	if !strings.Contains(w.log.String(), "secret detail") {
		t.Error("the cause is not in the log")
	}
}

// Mutations that hold their transaction while they ask for readings must not take all connections from each other.
func TestMutationsDoNotStarveEachOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	w.serve() // a process that has loaded nothing yet
	answers := make(chan string, 64)
	for i := range cap(answers) {
		go func() {
			answers <- w.ask("owner", fmt.Sprintf(`mutation { createSeries(input: {deviceID: %d, metric: "m%d"}) { latest { value } device { series { edges { node { latest { value } } } } } } }`, w.ours.device, i)).code()
		}()
	}
	for range cap(answers) {
		select {
		case code := <-answers:
			if code != ok {
				t.Error(code)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("mutations wait for each other")
		}
	}
}

func TestDeletedProjectLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", fmt.Sprintf(`project: %d, series: {}`, w.ours.project))
	s.next()
	for i := range 10 {
		w.send(w.ours.series, i)
	}
	if a := w.ask("owner", fmt.Sprintf(`mutation { deleteProject(id: %d) }`, w.ours.project)); a.code() != ok {
		t.Fatal(a.Body)
	}
	for _, table := range []string{"journal", "journal_head", "devices", "series", "keys", "members"} {
		var left int
		if err := w.pool.QueryRow(t.Context(), `select count(*) from `+table+` where project_id = $1`, w.ours.project).Scan(&left); err != nil || left > 0 {
			t.Errorf("%s: %d rows left (%v)", table, left, err)
		}
	}
	if a := w.ask("projectKey", `{ devices { totalCount } }`); a.Status != 401 {
		t.Errorf("a key of the deleted project: got %d %s", a.Status, a.Body)
	}
}

// What hostile documents ask is refused before it costs anything.
func TestHostileDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	aliases := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: %s ", i, field)
		}
		return "{ " + b.String() + " }"
	}
	filter := func(n int) string {
		return `{ devices(where: ` + strings.Repeat(`{hasSeriesWith: {hasDeviceWith: `, n) + `{name: "x"}` + strings.Repeat(`}}`, n) + `) { totalCount } }`
	}
	for name, c := range map[string]struct{ query, want string }{
		"150 of a name":      {"{ projects { edges { node { " + strings.Repeat("id ", 150) + "} } } }", ok},
		"151 of a name":      {"{ projects { edges { node { " + strings.Repeat("id ", 151) + "} } } }", "TOO_LARGE"},
		"in fragments":       {"{ ...a ...a } fragment a on Query { " + strings.Repeat("__typename ", 151) + "}", "TOO_LARGE"},
		"50 aliases":         {aliases(50, "__typename"), ok},
		"51 aliases":         {aliases(51, "__typename"), "TOO_LARGE"},
		"one introspection":  {`{ __schema { types { name fields { name } } } }`, ok},
		"11 introspections":  {aliases(11, `__schema { types { name } }`), "TOO_LARGE"},
		"a filter of 9":      {filter(4), ok},
		"a filter of 11":     {filter(5), "TOO_LARGE"},
		"2001 tokens":        {"{ " + strings.Repeat("a ", 2000) + "}", "GRAPHQL_PARSE_FAILED"},
		"unknown fields":     {aliases(50, "nonsense"), "GRAPHQL_VALIDATION_FAILED"},
		"an endless name":    {"{ " + strings.Repeat("x", 200_000) + " }", "GRAPHQL_VALIDATION_FAILED"},
		"latest of all":      {`{ latest(series: {}) { series { readings(first: 1000) { nodes { value } } } } }`, "TOO_LARGE"},
		"lists in lists":     {`{ projects(first: 1000) { edges { node { devices(first: 1000) { edges { node { id } } } } } } }`, "TOO_LARGE"},
		"two streams":        {`subscription { readings(series: {}) { cursor } b: readings(series: {}) { cursor } }`, "BAD_USER_INPUT"},
		"deletion and more":  {`mutation { deleteProject(id: 1) createProject(input: {name: "n"}) { id } }`, "BAD_USER_INPUT"},
		"deletion, spread":   {`mutation { ...a ...b } fragment a on Mutation { deleteProject(id: 1) } fragment b on Mutation { b: deleteProject(id: 2) }`, "BAD_USER_INPUT"},
		"deletion, alone":    {`mutation { ...a } fragment a on Mutation { ... on Mutation { deleteProject(id: 1) } }`, "NOT_FOUND"},
		"a stream, or none":  {`subscription { readings(series: {}) @skip(if: true) { cursor } }`, "BAD_USER_INPUT"},
		"lists of devices":   {`subscription { deviceStatus { device { series(first: 1) { totalCount } } } }`, "TOO_LARGE"},
		"lists of readings":  {`subscription { readings(series: {}) { readings { series { device { series(first: 1) { totalCount } } } } } }`, "TOO_LARGE"},
		"a cursor of nested": {`{ devices(after: "` + strings.Repeat("kZGR", 300) + `") { totalCount } }`, "BAD_USER_INPUT"},
	} {
		start := time.Now()
		a := w.ask("viewer", c.query)
		if a.code() != c.want || len(a.Body) > 5000 && c.want != ok {
			t.Errorf("%s: got %.300s, want %s", name, a.Body, c.want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	if log := w.log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("logged as our fault: %.500s", log)
	}
}
