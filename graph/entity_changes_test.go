package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/entity"
)

// changes subscribes to the changes of our project as somebody, and returns when whatever comes is told.
func (w *world) changes(who, arguments string) *liveClient {
	w.t.Helper()
	if arguments != "" {
		arguments = ", " + arguments
	}
	c := w.liveWith(who, map[string]any{"query": `subscription { changes(project: ` + id(w.ours.project) + arguments + `) {
		kind type id at node { id ... on Device { description } ... on Key { name } ... on Member { role user { email } } } } }`})
	w.untilListening(1)
	return c
}

// untilListening returns when so many listen to something of our project.
func (w *world) untilListening(n int) {
	w.t.Helper()
	for range 1000 {
		a := w.ask("owner", `{ subscribers(project: `+id(w.ours.project)+`) { sharing } }`)
		if list, _ := a.at("subscribers").([]any); len(list) == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("there are not %d subscribers", n)
}

// wantChange wants the next change to be of this kind, type and id, with a node or without.
func (c *liveClient) wantChange(kind, typ string, of int64, node bool) map[string]any {
	c.t.Helper()
	r := c.next()
	e, _ := r.Data["changes"].(map[string]any)
	if e["kind"] != kind || e["type"] != typ || e["id"] != id(of) || (e["node"] != nil) != node {
		c.t.Fatalf("got %s %s, want %s %s %d, with a node: %v", r.raw, r.code, kind, typ, of, node)
	}
	at, err := time.Parse(time.RFC3339Nano, text(e["at"]))
	if age := time.Since(at); err != nil || age < 0 || age > time.Minute {
		c.t.Errorf("%s was at %v", r.raw, e["at"])
	}
	n, _ := e["node"].(map[string]any)
	return n
}

func number(t *testing.T, v any) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(text(v), &n); err != nil {
		t.Fatalf("%v is no id", v)
	}
	return n
}

func TestChangesOfAllKindsAreTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.changes("owner", "")
	do := func(mutation string) int64 {
		t.Helper()
		a := w.ask("owner", "mutation { did: "+mutation+" }")
		if a.code() != ok {
			t.Fatalf("%s: %s", mutation, a.Body)
		}
		if made, isObject := a.at("did").(map[string]any); isObject {
			if key, isKey := made["key"].(map[string]any); isKey {
				made = key
			}
			return number(t, made["id"])
		}
		return 0
	}
	pump := do(`createDevice(input: {projectID: ` + id(w.ours.project) + `, name: "pump"}) { id }`)
	c.wantChange("CREATED", "DEVICE", pump, true)
	do(`updateDevice(id: ` + id(pump) + `, input: {description: "new"}) { id }`)
	if n := c.wantChange("UPDATED", "DEVICE", pump, true); n["description"] != "new" {
		t.Errorf("the device is told of as %v", n)
	}
	flow := do(`createSeries(input: {deviceID: ` + id(pump) + `, metric: "flow"}) { id }`)
	c.wantChange("CREATED", "SERIES", flow, true)
	key := do(`createKey(input: {projectID: ` + id(w.ours.project) + `, deviceID: ` + id(pump) + `, name: "k"}) { key { id } }`)
	if n := c.wantChange("CREATED", "KEY", key, true); n["name"] != "k" {
		t.Errorf("the key is told of as %v", n)
	}
	do(`deleteDevice(id: ` + id(pump) + `)`)
	c.wantChange("DELETED", "DEVICE", pump, false)
	c.wantChange("DELETED", "KEY", key, false)
	c.wantChange("DELETED", "SERIES", flow, false)
	member := do(`createMember(input: {projectID: ` + id(w.ours.project) + `, email: "stranger@example.org", role: VIEWER}) { id }`)
	if n := c.wantChange("CREATED", "MEMBER", member, true); n["role"] != "VIEWER" || text(n["user"]) != "map[email:stranger@example.org]" {
		t.Errorf("the member is told of as %v", n)
	}
	do(`updateProject(id: ` + id(w.ours.project) + `, input: {name: "renamed"}) { id }`)
	c.wantChange("UPDATED", "PROJECT", w.ours.project, true)
	w.entities.Publish(entity.MissedAll())
	if r := c.next(); !strings.HasPrefix(r.raw, `{"data":{"changes":{"kind":"MISSED","type":null,"id":null,`) {
		t.Errorf("of what may have been missed it says %s", r.raw)
	}
}

// The key that is made is told to owners, and to nobody else; all are told of the device that comes after it.
func TestChangesAreToldToThoseWhoMaySeeThem(t *testing.T) {
	t.Parallel()
	for who, want := range map[string][]string{
		"owner":      {"CREATED KEY", "DELETED KEY", "DELETED SERIES", "UPDATED DEVICE"},
		"adminKey":   {"CREATED KEY", "DELETED KEY", "DELETED SERIES", "UPDATED DEVICE"},
		"editor":     {"DELETED SERIES", "UPDATED DEVICE"},
		"projectKey": {"DELETED SERIES", "UPDATED DEVICE"},
		"deviceKey":  {"UPDATED DEVICE"},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			system := auth.NewContext(t.Context(), auth.System())
			other := w.client.Device.Create().SetProjectID(w.ours.project).SetName("other").SaveX(system)
			series := w.client.Series.Create().SetProjectID(w.ours.project).SetDevice(other).SetMetric("m").SaveX(system)
			c := w.changes(who, "")
			k, _, err := auth.CreateKey(system, w.client, auth.KeySpec{Project: w.ours.project, Scopes: auth.Read})
			if err != nil {
				t.Fatal(err)
			}
			w.entities.Publish() // nothing
			if slices.Contains(want, "CREATED KEY") {
				c.wantChange("CREATED", "KEY", k.ID, true)
			}
			w.client.Key.DeleteOne(k).ExecX(system)
			w.client.Series.DeleteOne(series).ExecX(system)
			w.client.Device.Create().SetProjectID(w.theirs.project).SetName("foreign").SaveX(system)
			w.client.Device.UpdateOneID(w.ours.device).SetDescription("new").ExecX(system)
			var got []string
			for len(got) == 0 || got[len(got)-1] != "UPDATED DEVICE" {
				e, _ := c.next().Data["changes"].(map[string]any)
				got = append(got, text(e["kind"])+" "+text(e["type"]))
			}
			if want := slices.DeleteFunc(want, func(s string) bool { return s == "CREATED KEY" }); !slices.Equal(got, want) {
				t.Errorf("told %v, want %v", got, want)
			}
		})
	}
}

func TestChangesOfTheTypesThatAreAskedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.changes("viewer", "of: [SERIES]")
	system := auth.NewContext(t.Context(), auth.System())
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("new").ExecX(system)
	w.client.Series.UpdateOneID(w.ours.series).SetUnit("K").ExecX(system)
	c.wantChange("UPDATED", "SERIES", w.ours.series, true)
	for query, want := range map[string]string{
		`changes(of: []) { kind }`:                                      "BAD_USER_INPUT",
		`changes(project: ` + id(w.theirs.project) + `) { kind }`:       "NOT_FOUND",
		`deviceStatus(project: ` + id(w.theirs.project) + `) { state }`: "NOT_FOUND",
	} {
		if r := w.liveWith("viewer", map[string]any{"query": "subscription { " + query + " }"}).next(); r.code != want {
			t.Errorf("%s: %s %s, want %s", query, r.code, r.raw, want)
		}
	}
}

// statements counts the statements of entities.
func (w *world) statements() *atomic.Int64 {
	var n atomic.Int64
	w.client.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	return &n
}

func TestSubscriptionsToWhatDoesNotChangeAskNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	asked := w.statements()
	w.changes("owner", "")
	w.changesAnd(`deviceStatus(project: ` + id(w.ours.project) + `) { state }`).next()
	w.changesAnd(`readings(project: ` + id(w.ours.project) + `, series: {}) { caughtUp }`).next()
	w.untilListening(3)
	time.Sleep(2500 * time.Millisecond) // the rights that are new are looked at once
	before := asked.Load()
	time.Sleep(2500 * time.Millisecond)
	if n := asked.Load() - before; n != 0 {
		t.Errorf("%d statements while nothing happens", n)
	}
}

func (w *world) changesAnd(field string) *liveClient {
	w.t.Helper()
	return w.liveWith("owner", map[string]any{"query": "subscription { " + field + " }"})
}
