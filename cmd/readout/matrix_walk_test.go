package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// leadsToIDs reports whether a type has an id, or leads to one.
func (s *served) leadsToIDs(def *ast.Definition, seen ...*ast.Definition) bool {
	if slices.Contains(seen, def) || def.Kind != ast.Object {
		return false
	}
	return slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool {
		return f.Type.Name() == "ID" || s.leadsToIDs(s.Types[f.Type.Name()], append(slices.Clip(seen), def)...)
	})
}

// everything selects all that a type shows, and what its edges lead to, through so many entities.
func (s *served) everything(def *ast.Definition, entities int) string {
	var b strings.Builder
	for _, f := range def.Fields {
		to := s.Types[f.Type.Name()]
		needy := slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
		switch {
		case needy || strings.HasPrefix(f.Name, "__"):
		case to.Kind == ast.Scalar || to.Kind == ast.Enum:
			b.WriteString(" " + f.Name)
		case entities > 0 && s.leadsToIDs(to):
			page, left := "", entities
			if f.Arguments.ForName("first") != nil {
				page = "(first: 5)"
			}
			if slices.Contains(to.Interfaces, "Node") {
				left--
			}
			b.WriteString(" " + f.Name + page + s.everything(to, left))
		}
	}
	if b.Len() == 0 {
		return " { __typename }"
	}
	return " {" + b.String() + " }"
}

// Whatever is followed from all that somebody sees, it never leads out of the project.
func TestNoEdgeLeadsOutOfTheProject(t *testing.T) {
	t.Parallel()
	e, s := newEstate(t), newServed()
	ours, _ := e.places()
	ours.subscribe("viewer")
	ours.subscribe("keyRead")
	device := map[int64]bool{ours.ids["project"]: true, ours.ids["device"]: true, ours.ids["series"]: true}
	for who, mine := range map[string]map[int64]bool{"viewer": ours.all, "keyRead": ours.all, "owner": ours.all, "deviceRead": device} {
		seen := map[int64]bool{}
		for _, f := range s.Query.Fields {
			to := s.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") || to.Kind != ast.Object || !s.leadsToIDs(to) {
				continue
			}
			var given []string
			for _, a := range f.Arguments {
				switch {
				case strings.HasSuffix(a.Type.Name(), "WhereInput"):
					given = append(given, a.Name+": {}")
				case a.Type.NonNull:
					given = append(given, a.Name+": "+s.value(a.Name, a.Type, step{"Query", f, ""}))
				}
			}
			document := "{ " + f.Name
			if given != nil {
				document += "(" + strings.Join(given, ", ") + ")"
			}
			entities := 3 // itself, and two levels of what it leads to
			if f.Arguments.ForName("first") == nil {
				entities = 2 // a list without pages counts as one of a thousand
			}
			a := ours.ask(ours.fill(document+s.everything(to, entities)+" }"), ours.who[who])
			if o := a.outcome(nil); o != "ok" && o != "403" {
				t.Errorf("%s: %.500s", f.Name, a.text)
			}
			if strings.Contains(a.text, "theirs-") || strings.Contains(a.text, "argon2") {
				t.Errorf("%s as %s shows another project, or a hash: %s", f.Name, who, a.text)
			}
			for _, id := range idsIn(a.text) {
				seen[id] = true
				if !mine[id] {
					t.Errorf("%s as %s leads to %d, which is not theirs: %s", f.Name, who, id, a.text)
				}
			}
		}
		if len(seen) < 3 {
			t.Errorf("%s saw %d ids: is nothing found any more?", who, len(seen))
		}
	}
}

// What a filter can name can be guessed, by counting, by whoever may use it: so filters name what every reader of a project
// sees, and nothing else.
func TestFiltersNameWhatReadersSee(t *testing.T) {
	t.Parallel()
	s := newServed()
	inputs := map[string]bool{}
	var visit func(t *ast.Type)
	visit = func(t *ast.Type) {
		def := s.Types[t.Name()]
		if def.Kind != ast.InputObject || inputs[def.Name] {
			return
		}
		inputs[def.Name] = true
		for _, f := range def.Fields {
			visit(f.Type)
		}
	}
	for _, def := range s.Types {
		for _, f := range def.Fields {
			for _, a := range f.Arguments {
				visit(a.Type)
			}
		}
	}
	visible := map[string]bool{"ProjectWhereInput": true, "DeviceWhereInput": true, "SeriesWhereInput": true}
	for name := range inputs {
		if !strings.HasSuffix(name, "WhereInput") {
			continue
		}
		if !visible[name] {
			t.Errorf("%s can be used: it would tell what not every reader of a project sees", name)
		}
		shown := s.Types[strings.TrimSuffix(name, "WhereInput")]
		for _, f := range s.Types[name].Fields {
			column := operator.ReplaceAllString(f.Name, "")
			if !strings.HasPrefix(f.Name, "has") && !slices.Contains([]string{"not", "and", "or", "labelled"}, f.Name) && shown.Fields.ForName(column) == nil {
				t.Errorf("%s.%s is of a field that %s does not show", name, f.Name, shown.Name)
			}
		}
	}
	if !inputs["SeriesWhereInput"] {
		t.Error("no filter was found")
	}
}

// operator is what a filter's field says beside the name of what it is about.
var operator = regexp.MustCompile(`(NEQ|NotIn|In|GTE|GT|LTE|LT|Contains|HasPrefix|HasSuffix|EqualFold|ContainsFold|IsNil|NotNil)$`)
