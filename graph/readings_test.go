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
	series := func(field string) string {
		return `{ node(id: "` + id(w.ours.series) + `") { ... on Series { ` + field + ` } } }`
	}
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
			series(`readings(maxPoints: 1) { nodes { value } }`),
			series(`readings(maxPoints: 10001) { nodes { value } }`),
			series(`readings(maxPoints: 10, first: 10) { nodes { value } }`),
			series(`readings(maxPoints: 10, after: "gaFp") { nodes { value } }`),
			series(`readings(maxPoints: 10, range: {from: "now", to: "-1h"}) { nodes { value } }`),
			`mutation { deleteReadings(series: "` + id(w.ours.series) + `", range: {from: "now", to: "-1h"}) { id } }`,
			`mutation { deleteReadings(series: "` + id(w.ours.series) + `", range: {}) { id } createProject(input: {name: "x"}) { id } }`,
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
			`{ series(first: 1000) { edges { node { readings(maxPoints: 1000) { nodes { value } } } } } }`,
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

func TestRangeIsDecimatedToSoManyPoints(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var seconds []int
	for i := range 3000 {
		seconds = append(seconds, i)
	}
	w.send(w.ours.series, seconds...)
	for arguments, want := range map[string]int{
		`maxPoints: 100`:                     100,
		`maxPoints: 100, decimation: LTTB`:   100,
		`maxPoints: 2`:                       2,
		`maxPoints: 2000`:                    2000,
		`maxPoints: 10000`:                   3000,
		`maxPoints: 10000, decimation: null`: 3000,
		`maxPoints: null`:                    50,
		`maxPoints: null, first: 7`:          7,
		`maxPoints: null, first: null`:       50,
		`maxPoints: 9, first: null, after: null, range: {from: "2026-11-01T00:00:10Z", to: "2026-11-01T00:00:15Z"}`: 5,
	} {
		a := w.ask("viewer", fmt.Sprintf(`{ node(id: %d) { ... on Series { readings(%s) {
			nodes { value } pageInfo { hasNextPage }
		} } } }`, w.ours.series, arguments))
		nodes, _ := a.at("node", "readings", "nodes").([]any)
		// Buckets of MIN_MAX that hold one reading give one.
		if n := len(nodes); n > want || n < want*9/10 {
			t.Fatalf("%s: got %d readings, want %d: %.200s", arguments, n, want, a.Body)
		}
		if strings.HasPrefix(arguments, "maxPoints: null") {
			continue
		}
		if last := a.at("node", "readings", "nodes", len(nodes)-1, "value"); !strings.Contains(arguments, "range") &&
			(a.at("node", "readings", "nodes", 0, "value") != 0. || last != 2999.) {
			t.Errorf("%s: from %v to %v", arguments, nodes[0], last)
		}
		if a.at("node", "readings", "pageInfo", "hasNextPage") != false {
			t.Errorf("%s: there is a next page", arguments)
		}
	}
}

func TestDeletedReadingsAreGoneAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1, 2, 3, 4, 5)
	left := func(what, want string) {
		t.Helper()
		a := w.ask("viewer", fmt.Sprintf(`{ node(id: %d) { ... on Series { latest { value } readings { nodes { value } } } } readings(series: {}) { nodes { value } } }`, w.ours.series))
		for _, path := range [][]any{{"node", "readings", "nodes"}, {"readings", "nodes"}} {
			if got := text(a.at(path...)); got != want {
				t.Errorf("%s: %v has %s, want %s", what, path, got, want)
			}
		}
	}
	deletion := `mutation { deleteReadings(series: %d, range: {from: "2026-11-01T00:00:0%dZ", to: "2026-11-01T00:00:0%dZ"}) { latest { value } } }`
	a := w.ask("editor", fmt.Sprintf(deletion, w.ours.series, 4, 9))
	if got := text(a.at("deleteReadings", "latest", "value")); got != "3" {
		t.Errorf("the answer says the newest is %s, want 3: %s", got, a.Body)
	}
	left("the end", "[map[value:1] map[value:2] map[value:3]]")
	w.ask("owner", fmt.Sprintf(deletion, w.ours.series, 1, 3))
	left("the beginning", "[map[value:3]]")
	w.ask("owner", fmt.Sprintf(deletion, w.ours.series, 3, 3))
	left("an empty range", "[map[value:3]]")
	w.send(w.ours.series, 2)
	left("sent again", "[map[value:2] map[value:3]]")
	w.ask("owner", fmt.Sprintf(`mutation { deleteReadings(series: %d, range: {}) { id } }`, w.ours.series))
	left("all", "[]")
}
