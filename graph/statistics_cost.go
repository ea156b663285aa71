package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/stats"
)

// What is counted where only the readings tell. What is more in the end is added when it is known: see afford.
const (
	unknownBuckets = 1000        // of a range that is open at its beginning
	unknownGroups  = defaultPage // of groups that are not ranked
)

const (
	valuesPerCost = 25  // values of 8 bytes that an answer holds until it is written count as much as one field
	sketchValues  = 512 // values that a sketch takes the place of, of so many or more
)

// shown is what a field of statistics has to show.
type shown struct {
	items   int // groups of a list of groups, else buckets or cells
	buckets int // of all groups
	values  int // that are held for quantiles
}

// afford charges the current field for what its answer has beyond what was counted for it.
func afford(ctx context.Context, s shown) error {
	of := graphql.GetFieldContext(ctx).Field
	field := *of.Field
	field.SelectionSet = of.Selections // of all fields that have the same name in the response
	c := &count{variables: graphql.GetOperationContext(ctx).Variables, fragments: map[string]size{}}
	each := c.set(field.SelectionSet)
	counted := each
	c.statistics(&field, &counted)
	return charge(ctx, c.reading(&field)+s.items*each.cost+s.buckets*each.buckets+s.values/valuesPerCost-counted.cost)
}

// bucketsOf is how many buckets groups have together.
func bucketsOf(groups []*gql.StatisticGroup) (n int) {
	for _, g := range groups {
		n += len(g.Buckets)
	}
	return n
}

// held is about how many values an answer holds, or the same memory in sketches.
func held(a *analysis.Answer) (n int) {
	for _, g := range a.Groups {
		n += heldBy(g.Total, g.PreviousTotal) + heldBy(g.Buckets...) + heldBy(g.Previous...)
	}
	return n
}

func heldBy(buckets ...*stats.Bucket) (n int) {
	for _, b := range buckets {
		if b == nil {
			continue
		}
		values := b.Values.Len()
		n += values + min(b.Values.Count()-values, sketchValues)
	}
	return n
}

// statistics counts a field that is about statistics; s is what stands below it, and becomes what it costs itself. It reports
// false for any other field.
func (c *count) statistics(f *ast.Field, s *size) bool {
	if f.ObjectDefinition == nil {
		return false
	}
	switch f.ObjectDefinition.Name + "." + f.Name {
	case "Series.statistics", "Query.correlation":
		s.cost = c.reading(f) + c.buckets(f)*s.cost
	case "Query.heatmap":
		s.cost = c.reading(f) + c.cells(f)*s.cost
	case "Query.statistics", "Subscription.statistics":
		groups := c.groups(f)
		s.cost = c.reading(f) + groups*s.cost + min(groups*c.buckets(f), analysis.MaxBuckets)*s.buckets
		s.buckets = 0
	case "StatisticGroup.buckets": // how many there are stands above
		s.cost, s.buckets = 1, s.cost
	case "Statistic.histogram":
		s.cost = 1 + c.bins(f)*s.cost
	case "Statistic.quantiles":
		list, _ := c.value(f, "q").([]any)
		s.cost = 1 + len(list)
	default:
		return false
	}
	s.cost = saturate(s.cost)
	return true
}

// reading is what it costs to read all of a range, and of the one that it is compared with.
func (c *count) reading(f *ast.Field) int {
	if c.value(f, "compareTo") != nil {
		return 1 + 2*wholeRangeCost
	}
	return 1 + wholeRangeCost
}

// groups is how many groups a field may answer.
func (c *count) groups(f *ast.Field) int {
	if top, ok := c.value(f, "top").(map[string]any); ok {
		return min(max(asInt(top["k"]), 1), maxTop)
	}
	if by := c.value(f, "groupBy"); by != nil {
		return unknownGroups
	}
	return 1
}

// bins is how many bins a histogram has.
func (c *count) bins(f *ast.Field) int {
	if v := c.value(f, "bins"); v != nil {
		return min(max(asInt(v), 1), analysis.MaxBins)
	}
	return analysis.DefaultBins
}

// cells is how many cells a heatmap has.
func (c *count) cells(f *ast.Field) int {
	const week = 7 * 24
	if by, _ := c.value(f, "by").(string); by != "DAY" {
		return week
	}
	return c.cut(f, time.Hour)
}

// buckets is about how many buckets the window of a field has.
func (c *count) buckets(f *ast.Field) int {
	window, _ := c.value(f, "window").(map[string]any)
	length := lengthOf(window)
	if length <= 0 { // no window, or one that is refused by what reads it
		return 1
	}
	return c.cut(f, length)
}

// cut is about how many pieces of a length the range of a field has.
func (c *count) cut(f *ast.Field, length time.Duration) int {
	in, _ := c.value(f, "range").(map[string]any)
	now := time.Now()
	from, known := timeOf(in["from"], now)
	if !known {
		return unknownBuckets
	}
	to, known := timeOf(in["to"], now)
	if !known {
		to = now
	}
	pieces := to.Sub(from)/length + 2 // the first and the last may be cut off
	return int(min(max(pieces, 1), analysis.MaxBuckets))
}

// lengthOf is about how long the buckets of a window are; 0 when it says nothing that can be understood.
func lengthOf(window map[string]any) time.Duration {
	const day, month = 24 * time.Hour, 30 * 24 * time.Hour
	var p stats.Period
	if unit, ok := window["calendar"].(string); ok {
		p = stats.Unit(unit).Period()
	}
	if every, ok := window["every"].(string); ok {
		p, _ = stats.ParsePeriod(every)
	}
	return time.Duration(p.Months)*month + time.Duration(p.Days)*day + p.Time
}

func timeOf(v any, now time.Time) (t time.Time, ok bool) {
	text, ok := v.(string)
	if !ok {
		return t, false
	}
	t, err := scalar.ParseTime(text, now)
	return t, err == nil
}
