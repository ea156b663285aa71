package graph

import (
	"context"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// maxThresholds is how many different thresholds one field may ask for: each is looked at for each reading.
const maxThresholds = 20

// fieldNeeds says what the fields of Statistic and Boxplot need beside a Summary, where it does not depend on arguments. What is
// not in it needs all of the Summary.
var fieldNeeds = map[string]stats.Need{
	"__typename":       {Plain: true},
	"start":            {Plain: true},
	"end":              {Plain: true},
	"label":            {Plain: true},
	"exact":            {Plain: true},
	"filled":           {Plain: true},
	"previous":         {Plain: true},
	"count":            {Plain: true},
	"sum":              {Plain: true},
	"mean":             {Plain: true},
	"min":              {Plain: true},
	"max":              {Plain: true},
	"range":            {Plain: true},
	"distinct":         {Plain: true},
	"completeness":     {Plain: true},
	"boxplot":          {Plain: true},
	"delta":            {Line: true},
	"rate":             {Line: true},
	"timeWeightedMean": {Line: true},
	"integral":         {Line: true},
	"median":           {Values: true, Plain: true},
	"quantile":         {Values: true, Plain: true},
	"quantiles":        {Values: true, Plain: true},
	"histogram":        {Values: true, Plain: true},
	"q1":               {Values: true, Plain: true},
	"q3":               {Values: true, Plain: true},
	"p90":              {Values: true, Plain: true},
	"p99":              {Values: true, Plain: true},
}

// selection finds out what is asked of statistics, so that nobody pays for what is not: fragments are spread, aliases,
// variables, @skip and @include heeded. It finds what is wrong with the arguments before anything is read.
type selection struct {
	operation *graphql.OperationContext
	need      stats.Need
}

// needOfStatistics is for a field that answers Statistics.
func needOfStatistics(ctx context.Context) (stats.Need, error) {
	return needAt(ctx, (*selection).statistic)
}

// needOfGroups is for a field that answers StatisticGroups.
func needOfGroups(ctx context.Context) (stats.Need, error) {
	return needAt(ctx, func(s *selection, set ast.SelectionSet) error {
		return s.below(set, "StatisticGroup", "total", "buckets")
	})
}

// needOfCells is for a field that answers HeatmapCells.
func needOfCells(ctx context.Context) (stats.Need, error) {
	return needAt(ctx, func(s *selection, set ast.SelectionSet) error {
		return s.below(set, "HeatmapCell", "statistic")
	})
}

func needAt(ctx context.Context, look func(*selection, ast.SelectionSet) error) (stats.Need, error) {
	s := &selection{operation: graphql.GetOperationContext(ctx), need: stats.Need{Plain: true}}
	err := look(s, graphql.GetFieldContext(ctx).Field.Selections)
	return s.need, err
}

// below looks at the statistics that stand in an object's fields.
func (s *selection) below(set ast.SelectionSet, object string, fields ...string) error {
	for _, f := range graphql.CollectFields(s.operation, set, []string{object}) {
		for _, name := range fields {
			if f.Name != name {
				continue
			}
			if err := s.statistic(f.Selections); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *selection) statistic(set ast.SelectionSet) error {
	for _, f := range graphql.CollectFields(s.operation, set, []string{"Statistic"}) {
		if err := s.field(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *selection) field(f graphql.CollectedField) error {
	s.need = s.need.And(fieldNeeds[f.Name])
	args := f.ArgumentMap(s.operation.Variables)
	switch f.Name {
	case "previous":
		return s.statistic(f.Selections)
	case "boxplot":
		for _, f := range graphql.CollectFields(s.operation, f.Selections, []string{"Boxplot"}) {
			s.need = s.need.And(fieldNeeds[f.Name])
		}
	case "distinct":
		label, _ := args["label"].(string)
		if label == "" {
			return fault.New(fault.Invalid, "distinct wants the name of a label")
		}
		s.need = s.need.And(stats.Need{Labels: []string{label}, Plain: true})
	case "durationAbove", "durationBelow":
		return s.threshold(args["threshold"])
	case "quantile", "quantiles":
		return checkQuantiles(args["q"])
	case "histogram":
		return checkHistogram(args)
	case "completeness":
		_, err := scalar.UnmarshalDuration(args["every"])
		return err
	}
	return nil
}

func (s *selection) threshold(v any) error {
	x, err := floatOf(v)
	if err != nil {
		return err
	}
	s.need = s.need.And(stats.Need{Line: true, Thresholds: []float64{x}})
	if len(s.need.Thresholds) > maxThresholds {
		return fault.New(fault.Invalid, "at most %d different thresholds at once", maxThresholds)
	}
	return nil
}

// checkQuantiles checks a quantile, or a list of them.
func checkQuantiles(v any) error {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	qs := make([]float64, len(list))
	for i, v := range list {
		var err error
		if qs[i], err = floatOf(v); err != nil {
			return err
		}
	}
	return analysis.CheckQuantiles(qs...)
}

func checkHistogram(args map[string]any) error {
	var limits [2]*float64
	for i, name := range []string{"min", "max"} {
		if args[name] == nil {
			continue
		}
		x, err := floatOf(args[name])
		if err != nil {
			return err
		}
		limits[i] = &x
	}
	var bins *int
	if args["bins"] != nil {
		n := asInt(args["bins"])
		bins = &n
	}
	_, err := analysis.CheckHistogram(bins, limits[0], limits[1])
	return err
}

// floatOf is a number of a document or of variables.
func floatOf(v any) (float64, error) {
	x, err := graphql.UnmarshalFloat(v)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) { // it reads "NaN" and "Inf"
		return 0, fault.New(fault.Invalid, "this is not a number that a Float can be")
	}
	return x, nil
}
