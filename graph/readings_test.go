package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/readout-dev/readout/auth"
)

func TestReadingsArePagedInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	system := auth.NewContext(t.Context(), auth.System())
	second := w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric("humidity").SaveX(system)
	w.send(w.ours.series, 3, 1, 2, 5, 3)
	w.send(second.ID, 2, 3, 4)
	for name, c := range map[string]struct{ query, list, want string }{
		"one series": {
			fmt.Sprintf(`{ found: node(id: %d) { ... on Series { readings(first: 2 AFTER) { nodes { value series { metric } } pageInfo { hasNextPage endCursor } } } } }`, w.ours.series),
			"found.readings", "temperature 1, temperature 2 | temperature 3, temperature 5",
		},
		"several series": {
			`{ found: readings(series: {}, first: 3 AFTER) { nodes { value series { metric } } pageInfo { hasNextPage endCursor } } }`,
			"found", "temperature 1, temperature 2, humidity 2 | temperature 3, humidity 3, humidity 4 | temperature 5",
		},
		"a range": {
			`{ found: readings(series: {}, range: {from: "2026-11-01T00:00:02Z", to: "2026-11-01T00:00:04Z"}, first: 10 AFTER) { nodes { value series { metric } } pageInfo { hasNextPage endCursor } } }`,
			"found", "temperature 2, humidity 2, temperature 3, humidity 3",
		},
		"an empty range": {
			`{ found: readings(series: {}, range: {from: "now", to: "+1d"} AFTER) { nodes { value series { metric } } pageInfo { hasNextPage endCursor } } }`,
			"found", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := w.pages(c.query, strings.Split(c.list, ".")); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// pages reads a list to its end; AFTER in the query is replaced by the cursor.
func (w *world) pages(query string, path []string) string {
	var pages []string
	for after := ""; ; {
		a := w.ask("viewer", strings.Replace(query, "AFTER", after, 1))
		if a.code() != "ok" {
			w.t.Fatal(a.Body)
		}
		var steps []any
		for _, p := range path {
			steps = append(steps, p)
		}
		var page []string
		for _, n := range a.at(append(steps, "nodes")...).([]any) {
			node := n.(map[string]any)
			page = append(page, fmt.Sprint(node["series"].(map[string]any)["metric"], " ", node["value"]))
		}
		pages = append(pages, strings.Join(page, ", "))
		info := a.at(append(steps, "pageInfo")...).(map[string]any)
		if info["hasNextPage"] == false {
			return strings.Join(pages, " | ")
		}
		after = fmt.Sprintf(`, after: "%s"`, info["endCursor"])
	}
}

func TestLatestIsTheNewestReading(t *testing.T) {
	t.Parallel()
	w := setup(t)
	query := fmt.Sprintf(`{ node(id: %d) { ... on Series { latest { time value } } } }`, w.ours.series)
	if got := w.ask("viewer", query).at("node", "latest"); got != nil {
		t.Errorf("no readings: got %v, want null", got)
	}
	w.send(w.ours.series, 3, 9, 4)
	if got := text(w.ask("viewer", query).at("node", "latest")); got != "map[time:2026-11-01T00:00:09Z value:9]" {
		t.Errorf("got %s", got)
	}
}

func TestBadArgumentsAreNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for want, queries := range map[string][]string{
		"BAD_USER_INPUT": {
			`{ devices(first: 0) { totalCount } }`,
			`{ devices(first: -1) { totalCount } }`,
			`{ devices(first: 1001) { totalCount } }`,
			`{ devices(first: 1, last: 1) { totalCount } }`,
			`{ readings(series: {}, first: 1001) { nodes { value } } }`,
			`{ readings(series: {}, range: {from: "now", to: "-1h"}) { nodes { value } } }`,
			`{ readings(series: {}, range: {from: "yesterday"}) { nodes { value } } }`,
			`{ readings(series: {}, range: {from: "2026-02-30T00:00:00Z"}) { nodes { value } } }`,
			`{ readings(series: {}, after: "%%%") { nodes { value } } }`,
			`{ devices(first: 2147483648) { totalCount } }`,
			`mutation { createDevice(input: {projectID: "` + id(w.ours.project) + `", name: "a\u0000b"}) { id } }`,
			`mutation { createDevice(input: {projectID: "` + id(w.ours.project) + `", name: ""}) { id } }`,
			`mutation { createSeries(input: {deviceID: "` + id(w.ours.device) + `", metric: "m", labels: {a: 1}}) { id } }`,
		},
		"ok": {
			`{ devices(first: 1000) { totalCount } }`,
			`mutation { deleteMember(id: "` + id(w.ours.member) + `") }`,
		},
		"NOT_FOUND": {
			`{ node(id: "nonsense") { id } }`,
		},
		"CONFLICT": {
			`mutation { createDevice(input: {projectID: "` + id(w.ours.project) + `", name: "boiler"}) { id } }`,
		},
		"TOO_LARGE": {
			`{ devices { edges { node { series { edges { node { device { series { edges { node { device { series { edges { node { id } } } } } } } } } } } } } } }`,
		},
	} {
		for _, query := range queries {
			if got := w.ask("owner", query).code(); got != want {
				t.Errorf("%s: got %s, want %s", query, got, want)
			}
		}
	}
	if log := w.log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("bad arguments are not our fault: %s", log)
	}
}

func TestLastOwnerStays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	members := w.ask("owner", fmt.Sprintf(`{ node(id: %d) { ... on Project { members { edges { node { id role } } } } } }`, w.ours.project))
	for _, e := range members.at("node", "members", "edges").([]any) {
		m := e.(map[string]any)["node"].(map[string]any)
		if m["role"] != "OWNER" {
			continue
		}
		for _, change := range []string{`deleteMember(id: "%s")`, `updateMember(id: "%s", input: {role: EDITOR}) { id }`} {
			if a := w.ask("owner", "mutation { "+fmt.Sprintf(change, m["id"])+" }"); a.code() != "CONFLICT" {
				t.Errorf("%s: %s", change, a.Body)
			}
		}
	}
}

func TestKeySecretIsShownOnceAndWorks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.ask("owner", fmt.Sprintf(`mutation { createKey(input: {projectID: %d, deviceID: %d, name: "k", scopes: [READ]}) { secret key { id hint scopes device { name } } } }`, w.ours.project, w.ours.device))
	secret := text(made.at("createKey", "secret"))
	w.who["made"] = secret
	if a := w.ask("made", `{ devices { edges { node { name } } } }`); a.code() != "ok" {
		t.Fatal(a.Body)
	}
	if strings.Contains(w.ask("owner", fmt.Sprintf(`{ node(id: %s) { ... on Key { name hint scopes } } }`, made.at("createKey", "key", "id"))).Body, secret) {
		t.Error("the secret is shown again")
	}
	if a := w.ask("owner", fmt.Sprintf(`mutation { createKey(input: {projectID: %d, deviceID: %d, scopes: [ADMIN]}) { secret } }`, w.ours.project, w.ours.device)); a.code() != "BAD_USER_INPUT" {
		t.Errorf("a device's key with ADMIN: %s", a.Body)
	}
	if a := w.ask("owner", fmt.Sprintf(`mutation { createKey(input: {projectID: %d, deviceID: %d}) { secret } }`, w.ours.project, w.theirs.device)); a.code() != "NOT_FOUND" {
		t.Errorf("a key for a foreign device: %s", a.Body)
	}
}
