package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rooms returns the values of the label room of the series that a filter matches, in their order; "none" without it.
func (w *world) rooms(where string) (rooms []string) {
	w.t.Helper()
	a := w.ask("viewer", `{ series(first: 100, where: {`+where+`}, orderBy: {field: METRIC}) { edges { node { labels } } } }`)
	if a.code() != ok {
		w.t.Errorf("%s: %s", where, a.Body)
	}
	edges, _ := a.at("series", "edges").([]any)
	for _, e := range edges {
		labels := e.(map[string]any)["node"].(map[string]any)["labels"].(map[string]any)
		room, there := labels["room"].(string)
		if !there {
			room = "none"
		}
		rooms = append(rooms, room)
	}
	return rooms
}

func TestSeriesAreChosenByTheirLabels(t *testing.T) {
	t.Parallel()
	w := setup(t) // its own series has no labels
	for _, room := range []string{"1", "2", "22", "hall%", "hall_"} {
		w.more("m"+room, map[string]string{"room": room, "floor": room[:1]})
	}
	f := func(where string, want ...string) {
		t.Helper()
		if got := w.rooms(where); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", where, got, want)
		}
	}
	f(`labelled: [{label: "room", equals: "2"}]`, "2")
	f(`labelled: {label: "room", equals: "2"}`, "2")
	f(`labelled: [{label: "room", in: ["2", "1", "3"]}]`, "1", "2")
	f(`labelled: [{label: "room", in: []}]`)
	f(`labelled: [{label: "room", prefix: "hall_"}]`, "hall_")
	f(`labelled: [{label: "room", matches: "\\d+"}]`, "1", "2", "22")
	f(`labelled: [{label: "room", present: true}, {label: "floor", equals: "2"}]`, "2", "22")
	f(`labelled: [{label: "room", present: false}]`, "none")
	f(`labelled: []`)
	f(`labelled: null, metric: "m1"`, "1")
	f(`metricIn: ["m1", "m2"], labelled: [{label: "floor", equals: "1"}]`, "1")
	f(`not: {labelled: [{label: "room", prefix: "hall"}]}`, "1", "2", "22", "none")
	f(`not: {labelled: []}`, "1", "2", "22", "hall%", "hall_", "none")
	f(`or: [{labelled: [{label: "room", equals: "1"}]}, {labelled: [{label: "room", present: false}]}]`, "1", "none")
	f(`or: [{labelled: []}, {metric: "m1"}]`, "1")
	f(`and: [{labelled: [{label: "floor", equals: "2"}]}, {not: {labelled: [{label: "room", equals: "2"}]}}]`, "22")
	f(`hasDeviceWith: [{hasSeriesWith: [{labelled: [{label: "room", equals: "2"}]}]}], labelled: [{label: "floor", equals: "1"}]`, "1")
	f(`hasDeviceWith: [{hasSeriesWith: [{labelled: [{label: "room", equals: "3"}]}]}]`)
}

func TestLabelFiltersRefuseWhatTheyCannotDo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, filter := range []string{
		`{label: "room"}`, `{label: "room", equals: null}`, `{label: "room", matches: "("}`, `{label: "room", matches: "(?=a)"}`,
		`{label: "room", matches: "` + strings.Repeat("a", 257) + `"}`, `{label: "room", matches: "(.{0,1000}){0,1000}"}`,
		`{label: "a\u0000", present: true}`, strings.Repeat(`{label: "room", present: true}, `, 33),
	} {
		a := w.ask("viewer", fmt.Sprintf(`{ series(where: {labelled: [%s]}) { totalCount } }`, filter))
		if a.code() != "BAD_USER_INPUT" {
			t.Errorf("%s: got %s", filter, a.Body)
		}
	}
	if log := w.log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("a client's mistake is logged as our fault: %s", log)
	}
}

func TestLabelFiltersShowNobodyMore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for who, want := range map[string]float64{"viewer": 1, "stranger": 1, "deviceKey": 1} {
		a := w.ask(who, `{ series(where: {or: [{labelled: [{label: "room", present: false}]}, {not: {labelled: []}}]}) { totalCount } }`)
		if a.at("series", "totalCount") != want {
			t.Errorf("%s: got %s, want %v: the series of the own project", who, a.Body, want)
		}
	}
}
