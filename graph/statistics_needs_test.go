package graph

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// inField returns the context of the first field of a document, as its resolver gets it.
func inField(t *testing.T, document string, variables map[string]any) context.Context {
	t.Helper()
	parsed, errs := gqlparser.LoadQueryWithRules(gql.NewExecutableSchema(gql.Config{}).Schema(), document, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	oc := &graphql.OperationContext{Doc: parsed, Operation: parsed.Operations[0], Variables: variables}
	ctx := graphql.WithOperationContext(context.Background(), oc)
	root := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query"})[0]
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: root})
}

func TestSelectionSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	summary := stats.Need{}
	values := stats.Need{Values: true}
	line := stats.Need{Line: true}
	f := func(selection string, want stats.Need) {
		t.Helper()
		document, fragments, _ := strings.Cut(selection, "|")
		declared := ""
		for _, v := range []string{"$yes: Boolean!", "$no: Boolean!", "$x: Float!"} {
			if name, _, _ := strings.Cut(v, ":"); strings.Contains(selection, name) {
				declared += v + " "
			}
		}
		if declared != "" {
			declared = "(" + declared + ")"
		}
		ctx := inField(t, `query `+declared+` { statistics(series: {}) { `+document+` } } `+fragments, map[string]any{"yes": true, "no": false, "x": 2.5})
		got, err := needOfGroups(ctx)
		if err != nil || !reflect.DeepEqual(got.And(summary), want.And(summary)) {
			t.Errorf("%s: got %+v %v, want %+v", selection, got, err, want)
		}
	}
	f(`metric labels series`, summary)
	f(`total { count sum mean min max range first last stddev variance exact filled label start end }`, summary)
	f(`buckets { completeness(every: "PT1S") }`, summary)
	f(`total { median }`, values)
	f(`buckets { quantile(q: 0.5) }`, values)
	f(`buckets { a: quantile(q: 0) b: quantiles(q: 1) c: quantiles(q: [0.1, 0.2]) }`, values)
	f(`buckets { histogram { count } }`, values)
	f(`buckets { boxplot { min max mean } }`, summary)
	f(`buckets { boxplot { p90 } }`, values)
	f(`buckets { rate }`, line)
	f(`buckets { delta }`, line)
	f(`total { count } buckets { timeWeightedMean }`, line)
	f(`total { median } buckets { integral }`, stats.Need{Values: true, Line: true})
	f(`buckets { previous { median } }`, values)
	f(`buckets { distinct(label: "room") more: distinct(label: "hall") again: distinct(label: "room") }`, stats.Need{Labels: []string{"hall", "room"}})
	f(`buckets { durationAbove(threshold: $x) durationBelow(threshold: -1) }`, stats.Need{Line: true, Thresholds: []float64{-1, 2.5}})
	f(`buckets { count median @skip(if: $yes) rate @include(if: $no) }`, summary)
	f(`buckets { count median @skip(if: $no) }`, values)
	f(`buckets @include(if: $no) { median }`, summary)
	f(`buckets { ...A @skip(if: $yes) ...B } | fragment A on Statistic { median } fragment B on Statistic { rate }`, line)
	f(`... on StatisticGroup { buckets { ... on Statistic { median } } }`, values)
	f(`...G | fragment G on StatisticGroup { total { ...S } } fragment S on Statistic { boxplot { ...B } } fragment B on Boxplot { q1 }`, values)
	f(`buckets { count } buckets { median }`, values)
}

func TestSelectionIsCheckedBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	many := ""
	for i := range maxThresholds + 1 {
		many += fmt.Sprintf("a%d: durationAbove(threshold: %d) ", i, i)
	}
	for _, selection := range []string{
		`quantile(q: 1.01)`,
		`quantile(q: -0.01)`,
		`quantiles(q: [0.5, 2])`,
		`quantiles(q: [` + strings.Repeat("0.5 ", 1001) + `])`,
		`histogram(bins: 0) { count }`,
		`histogram(bins: 1001) { count }`,
		`histogram(bins: -1) { count }`,
		`histogram(min: 2, max: 1) { count }`,
		`histogram(min: 1, max: 1) { count }`,
		`completeness(every: "PT0S")`,
		`completeness(every: "1h")`,
		many,
	} {
		_, err := needOfGroups(inField(t, `{ statistics(series: {}) { buckets { previous { `+selection+` } } } }`, nil))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%.80s: got %v, want Invalid", selection, err)
		}
	}
}

func TestCostCountsBuckets(t *testing.T) {
	t.Parallel()
	cost := func(document string, variables map[string]any) int {
		t.Helper()
		parsed, errs := gqlparser.LoadQueryWithRules(gql.NewExecutableSchema(gql.Config{}).Schema(), document, nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		c := &count{variables: variables, fragments: map[string]size{}}
		return c.set(parsed.Operations[0].SelectionSet).cost
	}
	day := `range: {from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z"}`
	f := func(document string, want int) {
		t.Helper()
		if got := cost(document, map[string]any{"w": map[string]any{"every": "PT1H"}, "from": "-2h"}); got != want {
			t.Errorf("%s: got %d, want %d", document, got, want)
		}
	}
	f(`{ statistics(series: {}) { total { count mean } } }`, 5001+3)
	f(`{ statistics(series: {}) { buckets { count mean } } }`, 5001+1+2)
	f(`{ statistics(series: {}, `+day+`, window: {calendar: HOUR}) { buckets { count mean } } }`, 5001+1+26*2)
	f(`query ($w: WindowInput) { statistics(series: {}, `+day+`, window: $w) { buckets { count mean } } }`, 5001+1+26*2)
	f(`query ($w: WindowInput, $from: Time) { statistics(series: {}, range: {from: $from}, window: $w) { buckets { count } } }`, 5001+1+4)
	f(`{ statistics(series: {}, `+day+`, window: {every: "PT1S"}) { buckets { count } } }`, 5001+1+11_000)
	f(`{ statistics(series: {}, window: {calendar: HOUR}) { buckets { count } } }`, 5001+1+1000)
	f(`{ statistics(series: {}, `+day+`, window: {calendar: HOUR}, groupBy: [{by: DEVICE}]) { metric buckets { count } } }`, 5001+50*2+50*26)
	f(`{ statistics(series: {}, `+day+`, window: {calendar: HOUR}, groupBy: {by: DEVICE}, top: {k: 3, by: MEAN}) { buckets { count } } }`, 5001+3+3*26)
	f(`{ statistics(series: {}, compareTo: "P1D") { total { count previous { count } } } }`, 10_001+1+1+2)
	f(`{ statistics(series: {}) { ...F } } fragment F on StatisticGroup { buckets { count } }`, 5001+1+1)
	f(`{ statistics(series: {}) { total { quantiles(q: [0.1, 0.2, 0.3]) histogram(bins: 100) { count } } } }`, 5001+1+4+101)
	f(`{ heatmap(series: {}) { hour } }`, 5001+168)
	f(`{ heatmap(series: {}, by: DAY, `+day+`) { hour } }`, 5001+26)
	f(`{ correlation(x: 1, y: 2, `+day+`, window: {calendar: HOUR}, step: "PT1M") { pairs } }`, 5001+26)
	f(`{ series(first: 20) { edges { node { statistics(`+day+`, window: {calendar: HOUR}) { count } } } } }`, 1+20*(1+1+5001+26))

	fields := `a: count b: count c: count d: count e: count f: count g: count h: count i: count j: count k: count l: count m: count n: count o: count p: count q: count r: count s: count t: count`
	if got := cost(`{ statistics(series: {}, `+day+`, window: {every: "PT1S"}) { buckets { `+fields+` } } }`, nil); got > maxCost {
		t.Errorf("11,000 buckets of 20 fields cost %d: they are refused", got)
	}
	if got := cost(`{ series(first: 1000) { edges { node { statistics { count } } } } }`, nil); got <= maxCost {
		t.Errorf("the statistics of 1,000 series one by one cost %d: they are taken", got)
	}
}

func TestCostCountsFilters(t *testing.T) {
	t.Parallel()
	f := func(document string, cost, patterns int) {
		t.Helper()
		parsed, errs := gqlparser.LoadQueryWithRules(gql.NewExecutableSchema(gql.Config{}).Schema(), document, nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		c := &count{variables: map[string]any{"w": map[string]any{"labelled": map[string]any{"label": "a", "matches": "x"}}}, fragments: map[string]size{}}
		if s := c.set(parsed.Operations[0].SelectionSet); s.cost != cost || s.patterns != patterns {
			t.Errorf("%s: got %d and %d expressions, want %d and %d", document, s.cost, s.patterns, cost, patterns)
		}
	}
	const a, b = `{label: "a", matches: "x"}`, `{label: "matches", prefix: "label"}`
	f(`{ latest(series: {labelled: `+a+`}) { value } }`, 1+1000+5000, 1)
	f(`{ latest(series: {labelled: `+b+`}) { value } }`, 1+1000, 0)
	f(`{ latest(series: {or: [{labelled: [`+a+b+a+`]}, {not: {labelled: [`+a+`]}}]}) { value } }`, 1+1000+15_000, 3)
	f(`query ($w: SeriesWhereInput!) { latest(series: $w) { value } }`, 1+1000+5000, 1)
	f(`{ heatmap(series: {labelled: `+a+`}) { hour } }`, 5001+168+5000, 1)
	f(`{ ...F ...F } fragment F on Query { latest(series: {labelled: `+a+`}) { value } }`, 2*(1+1000+5000), 2)
	f(`mutation { createSeries(input: {deviceID: "1", metric: "m", labels: {matches: "x"}}) { id } }`, 2, 0)
	f(`subscription { readings(series: {}) { readings { value series { metric } } } }`, 1+1+1000*3, 0)
}
