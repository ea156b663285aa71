package stats

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// plain are the statistics that have nothing but a name, in the order in which they are listed.
var plain = []struct {
	name string
	of   Statistic
	need Need
}{
	{"count", Count, Need{Plain: true}},
	{"sum", Sum, Need{Plain: true}},
	{"mean", Mean, Need{Plain: true}},
	{"min", Min, Need{Plain: true}},
	{"max", Max, Need{Plain: true}},
	{"range", Range, Need{Plain: true}},
	{"first", First, Need{}},
	{"last", Last, Need{}},
	{"delta", Delta, Need{Line: true}},
	{"rate", Rate, Need{Line: true}},
	{"stddev", StdDev, Need{}},
	{"variance", Variance, Need{}},
	{"median", Median, Need{Values: true, Plain: true}},
	{"time_weighted_mean", TimeWeightedMean, Need{Line: true}},
	{"integral", Integral, Need{Line: true}},
}

// with are the statistics that take an argument behind a colon.
var with = map[string]func(argument string) (Statistic, Need, error){
	"quantile":     quantileArgument,
	"distinct":     distinctArgument,
	"above":        thresholdArgument(Above),
	"below":        thresholdArgument(Below),
	"completeness": completenessArgument,
}

// Names lists what Named knows, for people to read.
func Names() string {
	var names []string
	for _, p := range plain {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ") +
		", p50 (any percentage: p99.9), quantile:0.5, distinct:label, above:threshold, below:threshold, completeness:PT10S"
}

// Named returns the statistic of that name, one of Names, and what it needs; fault Invalid when there is none or its
// argument is wrong. Days and months of completeness are those of UTC.
func Named(name string) (Statistic, Need, error) {
	for _, p := range plain {
		if p.name == name {
			return p.of, p.need, nil
		}
	}
	if percentage, ok := strings.CutPrefix(name, "p"); ok && digits.MatchString(percentage) {
		return quantileArgument(percentage + "e-2")
	}
	kind, argument, _ := strings.Cut(name, ":")
	if of := with[kind]; of != nil {
		return of(argument)
	}
	return nil, Need{}, fault.New(fault.Invalid, "no statistic has this name; there are %s", Names())
}

// These are stricter than strconv, which takes "0x1p-2", "1_000" and "inf".
var (
	digits  = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

func parseDecimal(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && decimal.MatchString(s)
}

func quantileArgument(argument string) (Statistic, Need, error) {
	q, ok := parseDecimal(argument)
	if !ok || q < 0 || q > 1 {
		return nil, Need{}, fault.New(fault.Invalid, "a quantile is from p0 to p100, or from quantile:0 to quantile:1")
	}
	return Quantile(q), Need{Values: true, Plain: true}, nil
}

func distinctArgument(label string) (Statistic, Need, error) {
	if label == "" {
		return nil, Need{}, fault.New(fault.Invalid, "distinct wants a label, as in distinct:room")
	}
	return Distinct(label), Need{Labels: []string{label}, Plain: true}, nil
}

func thresholdArgument(beside func(x float64) Statistic) func(string) (Statistic, Need, error) {
	return func(argument string) (Statistic, Need, error) {
		x, ok := parseDecimal(argument)
		if !ok {
			return nil, Need{}, fault.New(fault.Invalid, "a threshold is a number, as in above:21.5")
		}
		return beside(x), Need{Line: true, Thresholds: []float64{x}}, nil
	}
}

func completenessArgument(period string) (Statistic, Need, error) {
	every, err := ParsePeriod(period)
	if err != nil {
		return nil, Need{}, err
	}
	return Completeness(every, nil), Need{Plain: true}, nil
}
