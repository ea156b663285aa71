package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph"
)

// step is one field on the way to what is asked for; on is the type that an interface is taken for before it.
type step struct {
	owner string
	field *ast.FieldDefinition
	on    string
}

func (s step) name() string { return s.owner + "." + s.field.Name }

// served is the schema that is served, and a way to each of its types.
type served struct {
	*ast.Schema
	ways map[string][]step
}

func newServed() *served {
	s := &served{Schema: graph.Schema(), ways: map[string][]step{}}
	node := s.Query.Fields.ForName("node")
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		if slices.Contains(s.Types[name].Interfaces, "Node") {
			s.ways[name] = []step{{"Query", node, name}}
		}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		s.explore(root)
	}
	return s
}

// explore finds the shortest ways from a root to the types that none was found to.
func (s *served) explore(root *ast.Definition) {
	queue := [][]step{nil}
	for _, name := range slices.Sorted(maps.Keys(s.ways)) {
		queue = append(queue, s.ways[name])
	}
	for ; len(queue) > 0; queue = queue[1:] {
		way, at := queue[0], root
		if len(way) > 0 {
			at = s.end(way)
		}
		for _, f := range at.Fields {
			to := s.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") || to.Kind != ast.Object || s.ways[to.Name] != nil || to == s.Query {
				continue
			}
			s.ways[to.Name] = append(slices.Clip(way), step{at.Name, f, at.Name})
			queue = append(queue, s.ways[to.Name])
		}
	}
}

// end is the type that a way leads to.
func (s *served) end(way []step) *ast.Definition {
	last := way[len(way)-1]
	if to := s.Types[last.field.Type.Name()]; to.Kind == ast.Object {
		return to
	}
	return s.Types[last.on]
}

// rows are the ways to each root field and to each field that answers an object, by their names.
func (s *served) rows() (names []string, ways map[string][]step) {
	ways = map[string][]step{}
	add := func(way ...step) {
		name := way[len(way)-1].name()
		names, ways[name] = append(names, name), way
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		for _, f := range root.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				add(step{root.Name, f, "Device"}) // what an interface is taken for
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		t := s.Types[name]
		if t.Kind != ast.Object || strings.HasPrefix(name, "__") || t == s.Query || t == s.Mutation || t == s.Subscription {
			continue
		}
		for _, f := range t.Fields {
			if to := s.Types[f.Type.Name()]; to.IsAbstractType() || to.Kind == ast.Object {
				if s.ways[name] == nil {
					panic(name + " cannot be reached")
				}
				add(append(slices.Clone(s.ways[name]), step{name, f, "Device"})...)
			}
		}
	}
	return names, ways
}

// arguments are those that cannot be made by their types.
var arguments = map[string]string{
	"Query.statistics":        `series: {id: $series}, range: {from: "2026-01-01T00:00:00Z", to: "2026-01-03T00:00:00Z"}, window: {calendar: DAY}, compareTo: "P1D", fill: ZERO, groupBy: [{by: DEVICE}]`,
	"Query.correlation":       `x: $series, y: $series, range: {from: "2026-01-01T00:00:00Z", to: "2026-01-03T00:00:00Z"}, step: "PT1H"`,
	"Series.statistics":       `range: {from: "2026-01-01T00:00:00Z", to: "2026-01-03T00:00:00Z"}, window: {calendar: DAY}, compareTo: "P1D", fill: ZERO`,
	"Subscription.readings":   `project: $project, series: {id: $series}, from: "2026-01-01T00:00:00Z"`,
	"Subscription.changes":    `project: $project, of: [DEVICE]`,
	"Mutation.createMember":   `input: {projectID: $project, email: "$guest", role: VIEWER}`,
	"Mutation.createKey":      `input: {projectID: $project, deviceID: $device, scopes: [READ]}`,
	"Mutation.kickSubscriber": `project: $project, id: $subscriber`,
}

// selections are those that cannot be made by their types.
var selections = map[string]string{
	"Subscription.live": `{ projects(where: {id: $project}) { edges { __typename } } }`,
}

// document asks for what a way leads to. $entity in it is to be replaced by an id.
func (s *served) document(way []step) string {
	kind := strings.ToLower(way[0].owner)
	var b, closing strings.Builder
	b.WriteString(kind)
	for i, at := range way {
		if i > 0 && way[i-1].field.Type.Name() == "Node" {
			b.WriteString(" { ... on " + way[i-1].on)
			closing.WriteString(" }")
		}
		b.WriteString(" { " + at.field.Name + s.arguments(at))
		closing.WriteString(" }")
	}
	return b.String() + s.leaf(way[len(way)-1]) + closing.String()
}

// leaf is the least that can be selected of a field, so that it tells whether there is something.
func (s *served) leaf(at step) string {
	to := s.Types[at.field.Type.Name()]
	switch {
	case selections[at.name()] != "":
		return selections[at.name()]
	case to.Kind == ast.Scalar || to.Kind == ast.Enum:
		return ""
	case to.Fields.ForName("totalCount") != nil:
		return " { totalCount edges { __typename } }"
	case to.Fields.ForName("edges") != nil:
		return " { edges { __typename } }"
	}
	return " { __typename }"
}

// arguments are what a field is given: what it needs, ids, and filters.
func (s *served) arguments(at step) string {
	if given, ok := arguments[at.name()]; ok {
		return "(" + given + ")"
	}
	var given []string
	for _, a := range at.field.Arguments {
		if wanted := a.Type.NonNull && a.DefaultValue == nil; wanted || a.Type.Name() == "ID" || strings.HasSuffix(a.Type.Name(), "WhereInput") {
			given = append(given, a.Name+": "+s.value(a.Name, a.Type, at))
		}
	}
	if given == nil {
		return ""
	}
	return "(" + strings.Join(given, ", ") + ")"
}

var verb = regexp.MustCompile(`^[a-z]+`)

// entityOf says whose id an argument or a field of that name is.
func entityOf(name string, at step) string {
	switch name {
	case "id", "ids":
		if at.owner == "Mutation" {
			return strings.ToLower(verb.ReplaceAllString(at.field.Name, ""))
		}
		return strings.ToLower(at.on)
	case "x", "y":
		return "series"
	}
	return strings.TrimSuffix(name, "ID")
}

// value makes a value by its type.
func (s *served) value(name string, t *ast.Type, at step) string {
	if t.Elem != nil {
		return "[" + s.value(name, t.Elem, at) + "]"
	}
	def := s.Types[t.Name()]
	switch {
	case strings.HasSuffix(def.Name, "WhereInput"):
		return "{id: $" + strings.ToLower(strings.TrimSuffix(def.Name, "WhereInput")) + "}"
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		return s.object(def, at)
	}
	switch def.Name {
	case "ID":
		return "$" + entityOf(name, at)
	case "Time":
		return `"2026-01-01T02:00:00Z"`
	case "Duration":
		return `"P1D"`
	case "Int", "Int64", "Float":
		return "1"
	case "Boolean":
		return "true"
	case "Labels", "JSON":
		return "{}"
	case "String":
		return `"new"`
	}
	panic("no value is known of type " + def.Name + ": give one in value, or the field's arguments in arguments")
}

// object is an input with what it needs or, when that is nothing, with its first field.
func (s *served) object(def *ast.Definition, at step) string {
	var given []string
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil {
			given = append(given, f.Name+": "+s.value(f.Name, f.Type, at))
		}
	}
	if given == nil {
		f := def.Fields[0]
		given = append(given, f.Name+": "+s.value(f.Name, f.Type, at))
	}
	return "{" + strings.Join(given, ", ") + "}"
}

var placeholder = regexp.MustCompile(`"?\$(\w+)"?`)

// fill puts a place's ids into a document.
func (p *place) fill(document string) string {
	return placeholder.ReplaceAllStringFunc(document, func(found string) string {
		name := strings.Trim(found, `"$`)
		if name == "guest" {
			return strconv.Quote(p.who[name].email)
		}
		id, ok := p.ids[name]
		if !ok {
			panic("there is no id of a " + name + " in " + document)
		}
		return strconv.FormatInt(id, 10)
	})
}
