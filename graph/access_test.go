package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph/gql"
)

// The matrix of rights: for each root field, the answers to owner, editor, viewer, project key, device key, admin key, a
// key that may only ingest, and a stranger who owns another project.
var roles = []string{"owner", "editor", "viewer", "projectKey", "deviceKey", "adminKey", "ingestKey", "stranger"}

const (
	ok = "ok"
	no = "FORBIDDEN"
	na = "NOT_FOUND"
	un = "empty" // no error, and nothing in it
)

// row is one operation on our project, and what each role gets for it.
type row struct {
	field  string
	query  func(w *world) string
	answer [8]string
}

func q(format string, id func(*world) int64) func(*world) string {
	return func(w *world) string { return strings.ReplaceAll(format, "%d", fmt.Sprint(id(w))) }
}

func ourProject(w *world) int64 { return w.ours.project }
func ourDevice(w *world) int64  { return w.ours.device }
func ourSeries(w *world) int64  { return w.ours.series }
func ourKey(w *world) int64     { return w.ours.key }
func ourViewer(w *world) int64  { return w.ours.member }

var matrix = []row{
	{"Query.node", q(`{ found: node(id: %d) { ... on Device { name } } }`, ourDevice), [8]string{ok, ok, ok, ok, ok, ok, no, na}},
	{"Query.node", q(`{ found: node(id: %d) { ... on Series { metric } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, na}},
	{"Query.node", q(`{ found: node(id: %d) { ... on Key { name } } }`, ourKey), [8]string{ok, na, na, na, na, ok, no, na}},
	{"Query.node", q(`{ found: node(id: %d) { ... on Member { role } } }`, ourViewer), [8]string{ok, ok, ok, ok, na, ok, no, na}},
	{"Query.node", q(`{ found: node(id: %d) { ... on User { email } } }`, func(w *world) int64 { return w.users["viewer"] }), [8]string{ok, ok, ok, ok, na, ok, no, na}},
	{"Query.nodes", q(`{ found: nodes(ids: [%d]) { id } }`, ourDevice), [8]string{ok, ok, ok, ok, ok, ok, no, na}},
	{"Query.projects", q(`{ found: projects(where: {id: %d}) { edges { node { name } } } }`, ourProject), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.devices", q(`{ found: devices(where: {id: %d}) { edges { node { name } } } }`, ourDevice), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.series", q(`{ found: series(where: {id: %d}) { edges { node { metric latest { value } } } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Series.readings", q(`{ found: series(where: {id: %d}) { edges { node { readings(maxPoints: 2) { nodes { value } } } } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.latest", q(`{ found: latest(series: {id: %d}) { value } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.readings", q(`{ found: readings(series: {id: %d}) { edges { node { value } } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Series.statistics", q(`{ found: series(where: {id: %d}) { edges { node { statistics { count } } } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.statistics", q(`{ found: statistics(series: {id: %d}) { total { count } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.heatmap", q(`{ found: heatmap(series: {id: %d}) { statistic { count } } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, un}},
	{"Query.correlation", q(`{ found: correlation(x: %d, y: %d, step: "P1D") { pairs } }`, ourSeries), [8]string{ok, ok, ok, ok, ok, ok, no, na}},
	{"Query.subscribers", q(`{ found: subscribers(project: %d) { id } }`, ourProject), [8]string{un, no, no, no, no, un, na, na}},
	{"Query.me", q(`{ found: me { id } any: __typename }`, ourProject), [8]string{ok, ok, ok, un, un, un, un, ok}},

	{"Mutation.createProject", q(`mutation { found: createProject(input: {name: "new"}) { id } }`, ourProject), [8]string{ok, ok, ok, no, no, no, no, ok}},
	{"Mutation.updateProject", q(`mutation { found: updateProject(id: %d, input: {name: "renamed"}) { id } }`, ourProject), [8]string{ok, no, no, no, no, ok, na, na}},
	{"Mutation.deleteProject", q(`mutation { found: deleteProject(id: %d) }`, ourProject), [8]string{ok, no, no, no, no, ok, na, na}},
	{"Mutation.kickSubscriber", q(`mutation { found: kickSubscriber(project: %d, id: 1) }`, ourProject), [8]string{na, no, no, no, no, na, na, na}}, // there is none
	{"Mutation.createMember", q(`mutation { found: createMember(input: {projectID: %d, email: "stranger@example.org", role: VIEWER}) { id } }`, ourProject), [8]string{ok, no, no, no, no, ok, na, na}},
	{"Mutation.updateMember", q(`mutation { found: updateMember(id: %d, input: {role: EDITOR}) { id } }`, ourViewer), [8]string{ok, no, no, no, na, ok, no, na}},
	{"Mutation.deleteMember", q(`mutation { found: deleteMember(id: %d) }`, ourViewer), [8]string{ok, no, ok, no, na, ok, no, na}}, // the viewer leaves
	{"Mutation.createDevice", q(`mutation { found: createDevice(input: {projectID: %d, name: "new"}) { id } }`, ourProject), [8]string{ok, ok, no, no, no, ok, na, na}},
	{"Mutation.updateDevice", q(`mutation { found: updateDevice(id: %d, input: {description: "new"}) { id } }`, ourDevice), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.deleteDevice", q(`mutation { found: deleteDevice(id: %d) }`, ourDevice), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.createSeries", q(`mutation { found: createSeries(input: {deviceID: %d, metric: "new"}) { id } }`, ourDevice), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.updateSeries", q(`mutation { found: updateSeries(id: %d, input: {unit: "K"}) { id } }`, ourSeries), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.deleteSeries", q(`mutation { found: deleteSeries(id: %d) }`, ourSeries), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.deleteReadings", q(`mutation { found: deleteReadings(series: %d, range: {to: "2026-11-01T00:00:01Z"}) { id } }`, ourSeries), [8]string{ok, ok, no, no, no, ok, no, na}},
	{"Mutation.createKey", q(`mutation { found: createKey(input: {projectID: %d, scopes: [READ]}) { secret } }`, ourProject), [8]string{ok, no, no, no, no, ok, no, na}},
	{"Mutation.updateKey", q(`mutation { found: updateKey(id: %d, input: {name: "new"}) { id } }`, ourKey), [8]string{ok, na, na, na, na, ok, no, na}},
	{"Mutation.deleteKey", q(`mutation { found: deleteKey(id: %d) }`, ourKey), [8]string{ok, na, na, na, na, ok, no, na}},
}

// Subscriptions have tests of their own: TestSubscriptionIsForMembersAlone, TestLiveStatisticsAreForMembersAlone,
// TestChangesAreToldToThoseWhoMaySeeThem, TestDeviceStatusIsForMembersAlone.
var elsewhere = map[string]bool{
	"Subscription.readings": true, "Subscription.statistics": true, "Subscription.changes": true, "Subscription.deviceStatus": true,
}

func TestEveryRoleGetsWhatTheMatrixSays(t *testing.T) {
	t.Parallel()
	for _, r := range matrix {
		t.Run(r.field, func(t *testing.T) {
			t.Parallel()
			// From the least to the most, so that what is allowed to the last does not spoil the others; each that is
			// allowed to change has a world of its own.
			w := setup(t)
			spoilt := false
			for i := len(roles) - 1; i >= 0; i-- {
				if spoilt {
					w = setup(t)
				}
				w.send(w.ours.series, 1)
				a := w.ask(roles[i], r.query(w))
				if got := outcome(a); got != r.answer[i] {
					t.Errorf("%s as %s: got %s, want %s: %s", r.query(w), roles[i], got, r.answer[i], a.Body)
				}
				spoilt = a.code() == ok && r.field[0] == 'M'
			}
			if a := w.ask("nobody", r.query(w)); a.Status != 401 || a.code() != "UNAUTHENTICATED" {
				t.Errorf("anonymous: got %d %s", a.Status, a.Body)
			}
		})
	}
}

// outcome is the code of an answer, or whether there is something in it.
func outcome(a answer) string {
	if c := a.code(); c != ok {
		return c
	}
	found := a.at("found")
	if list, isList := found.([]any); isList && len(list) == 0 || found == nil {
		return un
	}
	if object, isObject := found.(map[string]any); isObject && object["edges"] != nil && len(object["edges"].([]any)) == 0 {
		return un
	}
	return ok
}

func TestMatrixHasEveryRootField(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, r := range matrix {
		rows[r.field] = true
	}
	schema := gql.NewExecutableSchema(gql.Config{}).Schema()
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, f := range root.Fields {
			name := root.Name + "." + f.Name
			if f.Name[:2] != "__" && !rows[name] && !elsewhere[name] {
				t.Errorf("%s has no row in the matrix of rights", name)
			}
		}
	}
}

// The answer for what is foreign and for what does not exist must be the same, to the byte.
func TestForeignAndUnknownHaveOneAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1, 2, 3)
	for _, r := range matrix {
		if r.answer[7] == ok {
			continue
		}
		unknown := func(kind int64) string {
			shifted := *w
			shifted.ours = place{kind + 4_000_000_000, 4_000_000_000, 4_000_000_000 + 17179869184, 8_000_000_000, 12_000_000_000}
			shifted.users = map[string]int64{"viewer": 25_000_000_000}
			return r.query(&shifted)
		}
		foreign := w.ask("stranger", r.query(w))
		if missing := w.ask("stranger", unknown(12884901888)); foreign.Body != missing.Body || foreign.Status != missing.Status {
			t.Errorf("%s: foreign %s, unknown %s", r.query(w), foreign.Body, missing.Body)
		}
	}
}

// A filter must not reach through to what its author may not see.
func TestFiltersDoNotReachKeysOrMembers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, where := range []string{`hasKeysWith: {hintHasPrefix: "a"}`, `hasProjectWith: {hasMembersWith: {role: OWNER}}`, `hasProjectWith: {hasKeys: true}`, `hasProjectWith: {hasDevicesWith: {nameHasPrefix: "p"}}`, `hasProjectWith: {hasSeriesWith: {metric: "m"}}`} {
		if a := w.ask("viewer", `{ devices(where: {`+where+`}) { edges { node { id } } } }`); a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: %s", where, a.Body)
		}
	}
}
