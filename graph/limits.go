package graph

import (
	"context"
	"encoding/json"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// What an operation may ask at most.
const (
	maxCost  = 500_000 // fields, times the sizes of the lists that they stand in
	maxDepth = 15
	maxRoots = 50 // fields at its root

	maxFilterDepth    = 10     // objects in objects of one argument
	introspectionCost = 50_000 // what asking for the whole schema counts as
	wholeRangeCost    = 5_000  // what reading all of a range counts as, beside what is shown of it
	maxPatterns       = 8      // regular expressions in filters: PostgreSQL remembers 32, each connection for itself
	patternCost       = 5_000  // what each of them counts as
	eventListCost     = 500    // what a list counts as in an event, beside its items: a statement, again and again
)

// limits refuses operations that ask for too much before anything is resolved. Fragments are counted once and
// remembered, so that the count itself stays small whatever they spread.
type limits struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = limits{}

// costExtension is where the cost of an operation is kept for those who run it.
const costExtension = "cost"

// ExtensionName implements graphql.HandlerExtension.
func (limits) ExtensionName() string { return "Limits" }

// Validate implements graphql.HandlerExtension.
func (limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (limits) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	c := &count{variables: oc.Variables, fragments: map[string]size{}}
	set := oc.Operation.SelectionSet
	c.event = oc.Operation.Operation == ast.Subscription
	if live := liveField(oc.Operation); live != nil {
		set, c.event = live.SelectionSet, false // counts as the query that it is
	}
	s := c.set(set)
	oc.Stats.SetExtension(costExtension, min(s.cost, maxCost))
	switch {
	case oc.Operation.Operation == ast.Subscription && onlyField(oc.Operation.SelectionSet) == nil:
		return refusal(fault.Invalid, "a subscription has one field, always")
	case c.alone != "" && s.fields > 1:
		return refusal(fault.Invalid, "%s stands alone in its operation: it is not part of a transaction", c.alone)
	case c.deepFilter:
		return refusal(fault.TooLarge, "an argument nests deeper than %d objects", maxFilterDepth)
	case s.badPage:
		return refusal(fault.Invalid, "a page has 1 to %d items", maxPage)
	case s.patterns > maxPatterns:
		return refusal(fault.TooLarge, "the operation has more than %d regular expressions in its filters", maxPatterns)
	case s.fields > maxRoots:
		return refusal(fault.TooLarge, "the operation has more than %d fields at its root", maxRoots)
	case s.depth > maxDepth:
		return refusal(fault.TooLarge, "the operation nests deeper than %d fields", maxDepth)
	case s.cost > maxCost:
		return refusal(fault.TooLarge, "the operation asks for more than %d fields: ask for smaller pages, or fewer lists in lists", maxCost)
	}
	return nil
}

func refusal(code fault.Code, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	err.Extensions = map[string]any{"code": code.Door().GraphQL}
	return err
}

// size is what a selection costs.
type size struct {
	cost    int  // the fields it resolves; saturating
	buckets int  // those below buckets of groups, once for each bucket; saturating
	depth   int  // how deep it nests
	fields  int  // the fields at its top, fragments spread; saturating
	badPage bool // it asks for a page of a size that there is not

	patterns int // regular expressions in its filters
}

func (s size) and(t size) size {
	return size{
		cost: saturate(s.cost + t.cost), buckets: saturate(s.buckets + t.buckets), depth: max(s.depth, t.depth),
		fields: saturate(s.fields + t.fields), badPage: s.badPage || t.badPage,
		patterns: saturate(s.patterns + t.patterns),
	}
}

func saturate(n int) int { return min(n, math.MaxInt32) }

type count struct {
	variables  map[string]any
	fragments  map[string]size
	deepFilter bool // an argument nests too deep

	alone string // a field that is to stand alone
	event bool   // of a subscription
}

// onlyField returns the field of a subscription, nil unless it has exactly one that no directive can leave out.
func onlyField(set ast.SelectionSet) *ast.Field {
	if len(set) != 1 {
		return nil
	}
	switch selection := set[0].(type) {
	case *ast.Field:
		if len(selection.Directives) == 0 {
			return selection
		}
	case *ast.FragmentSpread:
		if len(selection.Directives) == 0 {
			return onlyField(selection.Definition.SelectionSet)
		}
	case *ast.InlineFragment:
		if len(selection.Directives) == 0 {
			return onlyField(selection.SelectionSet)
		}
	}
	return nil
}

// filterSize is how deep the objects of an argument nest, since each may become a subquery in a subquery, and how many regular
// expressions are in it.
func filterSize(v any) (depth, patterns int) {
	add := func(inner any) {
		d, p := filterSize(inner)
		depth, patterns = max(depth, d), patterns+p
	}
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			add(inner)
		}
		if depth++; v["label"] != nil && v["matches"] != nil {
			patterns++
		}
	case []any:
		for _, inner := range v {
			add(inner)
		}
	}
	return depth, patterns
}

func (c *count) set(set ast.SelectionSet) (s size) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			s = s.and(c.field(selection))
		case *ast.InlineFragment:
			s = s.and(c.set(selection.SelectionSet))
		case *ast.FragmentSpread:
			s = s.and(c.fragment(selection))
		}
	}
	return s
}

func (c *count) fragment(spread *ast.FragmentSpread) size {
	s, known := c.fragments[spread.Name]
	if !known && spread.Definition != nil { // validation has refused cycles
		s = c.set(spread.Definition.SelectionSet)
		c.fragments[spread.Name] = s
	}
	return s
}

func (c *count) field(f *ast.Field) size {
	if f.Name == "__schema" || f.Name == "__type" {
		return size{cost: introspectionCost, depth: 1, fields: 1} // its depth is bounded by a validation rule
	}
	if standsAlone(f) {
		c.alone = f.Name
	}
	s := c.set(f.SelectionSet)
	s.depth, s.fields = s.depth+1, 1
	if !c.statistics(f, &s) {
		c.list(f, &s)
	}
	for _, argument := range f.Arguments {
		depth, patterns := filterSize(c.value(f, argument.Name))
		c.deepFilter = c.deepFilter || depth > maxFilterDepth
		s.patterns += patterns
		s.cost = saturate(s.cost + patterns*patternCost)
	}
	return s
}

// list counts a field that is not about statistics; s is what stands below it, and becomes what it costs itself.
func (c *count) list(f *ast.Field, s *size) {
	times, ok := c.times(f)
	s.cost = saturate(1 + s.cost*times)
	if c.event && isList(f) {
		s.cost = saturate(s.cost + eventListCost)
	}
	if c.value(f, "maxPoints") != nil {
		s.cost = saturate(s.cost + wholeRangeCost)
	}
	s.badPage = s.badPage || !ok
}

// times is how many items a field may answer; ok is false for a page of a size that there is not.
func (c *count) times(f *ast.Field) (n int, ok bool) {
	switch {
	case isList(f):
		return c.pageOf(f)
	case f.Name == "latest" && f.Definition != nil && f.Definition.Type.Elem != nil:
		return maxSeries, true
	case f.Name == "nodes" && f.Arguments.ForName("ids") != nil:
		ids, _ := c.value(f, "ids").([]any)
		return max(len(ids), 1), true
	case f.Name == "readings" && f.ObjectDefinition != nil && f.ObjectDefinition.Name == "ReadingEvent":
		return maxEventReadings, true
	case f.Name == "deviceStatus":
		return maxSenders, true
	}
	return 1, true
}

// pageOf returns the size of a list's page. All of its arguments may be null, which would be no limit: documents gave a
// size to those that name none, and where maxPoints stands alone the field's own default holds.
func (c *count) pageOf(f *ast.Field) (n int, ok bool) {
	if v := c.value(f, "maxPoints"); v != nil {
		return min(max(asInt(v), 1), maxPoints), true // one that is out of bounds is refused by the field
	}
	if f.Arguments.ForName("maxPoints") != nil && c.value(f, "first") == nil {
		return defaultPage, true
	}
	n = -1
	for _, name := range []string{"first", "last"} {
		if v := c.value(f, name); v != nil {
			n = max(n, asInt(v))
			ok = true
			if asInt(v) < 1 || asInt(v) > maxPage {
				return maxPage, false
			}
		}
	}
	return n, ok
}

// value is an argument's value, nil when there is none.
func (c *count) value(f *ast.Field, name string) any {
	argument := f.Arguments.ForName(name)
	if argument == nil {
		return nil
	}
	v, err := argument.Value.Value(c.variables)
	if err != nil {
		return math.MaxInt32 // refused by what reads it
	}
	return v
}

// asInt is a number of a document or of variables; what is none is too large.
func asInt(v any) int {
	switch v := v.(type) {
	case int64:
		return int(min(max(v, -1), math.MaxInt32))
	case int:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return asInt(n)
		}
	}
	return math.MaxInt32
}
