package main

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"entgo.io/contrib/entgql"
	"github.com/vektah/gqlparser/v2/ast"
)

// slot is a place in the arguments of a field that names something: by its id, by a cursor behind it, or by its text.
type slot struct {
	arguments string // with § where the name goes
	of        string // an entity's or, of a text, the type and field that it stands in
	kind      byte   // i, c, t
}

// slots are those of a field's arguments. Filters are one piece of code: the lists of entities try those in filters, too.
func (s *served) slots(at step) (found []slot) {
	depth := 1
	if at.owner == "Query" && s.Types[at.field.Type.Name()].Fields.ForName("totalCount") != nil {
		depth = 2
	}
	for _, a := range at.field.Arguments {
		for _, in := range s.slotsIn(a.Name, a.Type, at, depth) {
			others := ""
			for _, b := range at.field.Arguments {
				if b != a && b.Type.NonNull && b.DefaultValue == nil {
					others += ", " + b.Name + ": " + s.value(b.Name, b.Type, at)
				}
			}
			in.arguments = a.Name + ": " + in.arguments + others
			found = append(found, in)
		}
	}
	return found
}

// slotsIn are those of a value; filters are looked into to a depth.
func (s *served) slotsIn(name string, t *ast.Type, at step, depth int) (found []slot) {
	if t.Elem != nil {
		for _, in := range s.slotsIn(name, t.Elem, at, depth) {
			in.arguments = "[" + in.arguments + "]"
			found = append(found, in)
		}
		return found
	}
	def := s.Types[t.Name()]
	entity, filter := strings.CutSuffix(at.on, "WhereInput")
	if at.on == "LabelFilter" {
		entity, filter = at.on, true
	}
	switch {
	case def.Name == "ID" && filter:
		return []slot{{"§", entityIn(entity, name), 'i'}}
	case def.Name == "ID" && at.owner == "Query" && strings.HasPrefix(name, "id"):
		for _, any := range []string{"project", "device", "series", "key", "member", "user", "session"} {
			found = append(found, slot{"§", any, 'i'})
		}
		return found
	case def.Name == "ID":
		return []slot{{"§", entityOf(name, at), 'i'}}
	case def.Name == "Cursor" && strings.HasSuffix(at.field.Type.Name(), "Connection") && at.field.Type.Name() != "ReadingConnection":
		return []slot{{`"§"`, strings.ToLower(strings.TrimSuffix(at.field.Type.Name(), "Connection")), 'c'}}
	case def.Name == "String" && filter:
		return []slot{{`"§"`, entity + "." + name, 't'}}
	case strings.HasSuffix(def.Name, "WhereInput") && depth > 0:
		inside := step{at.owner, at.field, def.Name}
		for _, f := range def.Fields {
			for _, in := range s.slotsIn(f.Name, f.Type, inside, depth-1) {
				in.arguments = "{" + f.Name + ": " + in.arguments + "}"
				found = append(found, in)
			}
		}
	case def.Name == "LabelFilter":
		return s.slotsOf(def, step{at.owner, at.field, def.Name}, depth)
	case def.Kind == ast.InputObject && !strings.HasSuffix(def.Name, "WhereInput"):
		return s.slotsOf(def, at, depth)
	}
	return found
}

// slotsOf are those of an input that is no filter, with what else it needs.
func (s *served) slotsOf(def *ast.Definition, at step, depth int) (found []slot) {
	for _, f := range def.Fields {
		for _, in := range s.slotsIn(f.Name, f.Type, at, depth) {
			others := ""
			for _, g := range def.Fields {
				if g != f && g.Type.NonNull && g.DefaultValue == nil {
					others += ", " + g.Name + ": " + s.value(g.Name, g.Type, at)
				}
			}
			in.arguments = "{" + f.Name + ": " + in.arguments + others + "}"
			found = append(found, in)
		}
	}
	return found
}

// entityIn says whose id a field of a filter is.
func entityIn(filtered, name string) string {
	if of, _, found := strings.Cut(name, "ID"); found && of != "" {
		return of
	}
	return strings.ToLower(filtered)
}

// named is what may be named in a slot.
type named struct {
	place string
	id    int64
}

// unknown is the like of n that does not exist. Both come after what is ours.
func (n named) unknown() named {
	return named{strings.Replace(n.place, "theirs", "themis", 1), n.id + 1_000_000}
}

// in is how it is written in a slot.
func (n named) in(s slot) string {
	switch s.kind {
	case 'i':
		return strconv.FormatInt(n.id, 10)
	case 'c':
		var b bytes.Buffer
		entgql.Cursor[int64]{ID: n.id}.MarshalGQL(&b)
		return strings.Trim(b.String(), `"`)
	}
	entity, field, _ := strings.Cut(s.of, ".")
	switch {
	case entity == "LabelFilter":
		return n.place
	case strings.HasPrefix(field, "metric"):
		return n.place + "-metric"
	case strings.HasPrefix(field, "description"):
		return n.place + "-note"
	}
	return n.place + "-" + strings.ToLower(entity)
}

// with is the document that asks what a way leads to with other arguments at its end.
func (s *served) with(way []step, args string) string {
	last := way[len(way)-1]
	given := s.document(way)
	i := strings.LastIndex(given, last.field.Name+s.arguments(last)+s.leaf(last))
	rest := given[i+len(last.field.Name+s.arguments(last)):]
	return given[:i] + last.field.Name + "(" + args + ")" + rest
}

// What is somebody else's and what does not exist have one answer, to the byte, wherever something can be named.
func TestForeignAndUnknownHaveOneAnswer(t *testing.T) {
	t.Parallel()
	e, s := newEstate(t), newServed()
	ours, theirs := e.places()
	ours.subscribe("viewer")
	theirs.subscribe("viewer")
	fields, ways := s.rows()
	tried := map[byte]int{}
	for _, name := range fields {
		way := ways[name]
		for _, slot := range s.slots(way[len(way)-1]) {
			document := ours.fill(s.with(way, slot.arguments))
			tried[slot.kind]++
			foreign := named{theirs.name, theirs.ids[slot.of]}
			ours.compare(document, slot, foreign, ours.who["owner"])
			if other := ours.ids[slot.of+"2"]; other != 0 && slot.kind == 'i' { // foreign to a device's key, in its own project
				ours.compare(document, slot, named{ours.name, other}, ours.who["deviceRead"])
			}
		}
	}
	t.Logf("compared %d ids, %d cursors and %d texts", tried['i'], tried['c'], tried['t'])
	if tried['i'] < 300 || tried['c'] < 10 || tried['t'] < 300 {
		t.Error("too little was compared: are arguments not found any more?")
	}
}

// compare asks with something foreign and with what does not exist.
func (p *place) compare(document string, s slot, n named, v visitor) {
	p.t.Helper()
	foreign := p.ask(strings.ReplaceAll(document, "§", n.in(s)), v)
	unknown := p.ask(strings.ReplaceAll(document, "§", n.unknown().in(s)), v)
	switch {
	case foreign.text != unknown.text:
		p.t.Errorf("%s with a %s: foreign %.300s, unknown %.300s", document, s.of, foreign.text, unknown.text)
	case strings.Contains(foreign.text, "VALIDATION_FAILED"):
		p.t.Errorf("%s is no question: %.300s", document, foreign.text)
	case strings.Contains(foreign.text, "theirs-"):
		p.t.Errorf("%s with a %s tells of another project: %.300s", document, s.of, foreign.text)
	}
}

// The REST doors, too, have one answer for what is somebody else's and what does not exist.
func TestForeignAndUnknownHaveOneAnswerByREST(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ours, theirs := e.places()
	for _, c := range []struct {
		method, path string
		slot         slot
	}{
		{"GET", "/v1/export?series=§", slot{"", "series", 'i'}},
		{"GET", "/v1/export?project=§", slot{"", "project", 'i'}},
		{"GET", "/v1/export?device=§", slot{"", "Device.name", 't'}},
		{"GET", "/v1/export?metric=§", slot{"", "Series.metric", 't'}},
		{"GET", "/v1/export/statistics?series=§", slot{"", "series", 'i'}},
		{"GET", "/v1/export/statistics?project=§", slot{"", "project", 'i'}},
		{"GET", "/v1/export/statistics?device=§", slot{"", "Device.name", 't'}},
		{"GET", "/v1/export/statistics?metric=§", slot{"", "Series.metric", 't'}},
		{"DELETE", "/auth/sessions/§", slot{"", "session", 'i'}},
	} {
		for _, who := range []string{"owner", "viewer", "deviceRead", "keyRead"} {
			answer := func(n named) string {
				path := strings.ReplaceAll(c.path, "§", url.QueryEscape(n.in(c.slot)))
				status, text := ours.fetch(c.method, path, ours.who[who], nil)
				return status + " " + requestID.ReplaceAllString(text, "")
			}
			n := named{theirs.name, theirs.ids[c.slot.of]}
			if foreign, unknown := answer(n), answer(n.unknown()); foreign != unknown || strings.Contains(foreign, "theirs-") {
				t.Errorf("%s %s as %s: foreign %s, unknown %s", c.method, c.path, who, foreign, unknown)
			}
		}
	}
}

// Only who may take people into a project hears whether an address has an account.
func TestAddressesAreNotToldToWhoMayNotInvite(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ours, theirs := e.places()
	for _, who := range principals {
		if who == "owner" || who == "keyAdmin" {
			continue
		}
		answer := func(email string) string {
			return ours.ask(ours.fill(`mutation { createMember(input: {projectID: $project, email: `+strconv.Quote(email)+`, role: VIEWER}) { id } }`), ours.who[who]).text
		}
		if known, unknown := answer(theirs.who["viewer"].email), answer(e.newAddress()); known != unknown {
			t.Errorf("as %s: an address with an account %s, one without %s", who, known, unknown)
		}
	}
}

// A cursor that was given out in one project is worth nothing in another.
func TestCursorsOfAnotherProjectShowNothingOfIt(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ours, theirs := e.places()
	for _, c := range []struct{ given, used string }{
		{`query { series(where: {id: $series}) { edges { node { readings(first: 1) { edges { cursor } } } } } }`, `query { series(where: {id: $series}) { edges { node { readings(after: §) { nodes { series { metric } } } } } } }`},
		{`query { readings(series: {id: $series}, first: 1) { edges { cursor } } }`, `query { readings(series: {id: $series}, after: §) { nodes { series { metric } } } }`},
		{`query { devices(first: 1) { edges { cursor } } }`, `query { devices(after: §) { edges { node { name } } } }`},
		{`query { series(first: 1) { edges { cursor } } }`, `query { series(before: §) { edges { node { metric } } } }`},
		{`subscription { readings(project: $project, series: {}) { cursor } }`, `subscription { readings(project: $project, series: {}, after: §) { readings { series { metric } } } }`},
	} {
		given := theirs.ask(theirs.fill(c.given), theirs.who["owner"]).text
		found := cursorInText.FindStringSubmatch(given)
		if found == nil {
			t.Fatalf("%s: no cursor in %s", c.given, given)
		}
		a := ours.ask(ours.fill(strings.ReplaceAll(c.used, "§", found[1])), ours.who["owner"])
		if strings.Contains(a.text, "theirs-") || strings.Contains(a.text, "VALIDATION_FAILED") {
			t.Errorf("%s: %s", c.used, a.text)
		}
	}
}

var cursorInText = regexp.MustCompile(`"cursor":("[^"]+")`)
