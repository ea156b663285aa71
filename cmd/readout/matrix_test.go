package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Everything that is served is a row of testdata/matrix.txt: each root field, each field that answers an object, each route
// and its methods. A new one without a row fails here, and so does a row of something that is gone.
func TestEverybodyGetsWhatTheMatrixSays(t *testing.T) {
	t.Parallel()
	e, s := newEstate(t), newServed()
	want := readMatrix(t)
	ours, _ := e.places()
	ours.subscribe("viewer")
	ours.subscribe("keyRead")

	fields, ways := s.rows()
	for _, name := range fields {
		way := ways[name]
		document := s.document(way)
		e.check(want, name, ours, way[0].owner == "Mutation", func(p *place, v visitor) (string, string) {
			return p.try(document, way, v)
		})
	}
	for _, name := range e.endpoints() {
		e.check(want, name, ours, !strings.HasPrefix(name, "GET "), func(p *place, v visitor) (string, string) { return p.call(name, v) })
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t.Errorf("%s: %s is not served any more: delete the row", matrixFile, name)
	}
}

// check tries one row as everybody, and takes it from want. What changes something is tried on a place of its own, until it
// has been changed.
func (e *estate) check(want map[string][]string, name string, shared *place, changes bool, try func(*place, visitor) (outcome, text string)) {
	e.t.Helper()
	at := shared
	if changes {
		at = e.fresh(name)
	}
	got, texts := make([]string, len(principals)), make([]string, len(principals))
	for i, who := range principals {
		got[i], texts[i] = try(at, at.who[who])
		if changes && got[i] == "ok" {
			at = e.fresh(name)
		}
	}
	expected, known := want[name]
	delete(want, name)
	if !known {
		e.t.Errorf("%s has no row. If this is what everybody should get, add it:\n%s", name, matrixLine(name, got))
		return
	}
	for i, who := range principals {
		if got[i] != expected[i] {
			e.t.Errorf("%s as %s: got %s, want %s: %.300s", name, who, got[i], expected[i], texts[i])
		}
	}
}

// fresh returns a place for one change.
func (e *estate) fresh(row string) *place {
	e.t.Helper()
	p, _ := e.places()
	if row == "Mutation.kickSubscriber" {
		p.subscribe("viewer")
	}
	return p
}

// subscribe has somebody listen for as long as the test runs.
func (p *place) subscribe(who string) {
	p.t.Helper()
	body, err := p.open(p.t.Context(), p.fill(`subscription { readings(project: $project, series: {}) { caughtUp } }`), p.who[who])
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { body.Close() })
	if _, err := body.Read(make([]byte, 1)); err != nil { // it has begun
		p.t.Fatal(err)
	}
	p.findSubscriber()
}

// findSubscriber waits until a subscription is listed, and notes its id.
func (p *place) findSubscriber() {
	p.t.Helper()
	for {
		a := p.ask(p.fill(`{ subscribers(project: $project) { id } }`), p.who["owner"])
		if id := firstID(a.text); id != 0 {
			p.ids["subscriber"] = id
			return
		}
		if p.t.Context().Err() != nil {
			p.t.Fatal(context.Cause(p.t.Context()))
		}
	}
}
