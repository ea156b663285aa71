package graph

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// maxGroupKeys is how many keys series may be grouped by.
const maxGroupKeys = 10

// group is series that are taken together.
type group struct {
	series []*db.Series // ascending by id; never empty
	labels map[string]string
	device *db.Device // that all are of, where it was asked for; nil when there are several
	order  []string   // groups come in the order of these
}

// groupKeys checks what series are to be grouped by.
func groupKeys(in []*gql.GroupKey) ([]gql.GroupKey, error) {
	if len(in) > maxGroupKeys {
		return nil, fault.New(fault.Invalid, "at most %d keys to group by", maxGroupKeys)
	}
	keys := make([]gql.GroupKey, len(in))
	for i, key := range in {
		switch {
		case key.By == gql.GroupByLabel && (key.Label == nil || *key.Label == ""):
			return nil, fault.New(fault.Invalid, "to group by LABEL, name the label: {by: LABEL, label: \"…\"}")
		case key.By != gql.GroupByLabel && key.Label != nil:
			return nil, fault.New(fault.Invalid, "a label is for by: LABEL alone")
		}
		keys[i] = *key
		if slices.ContainsFunc(keys[:i], func(k gql.GroupKey) bool { return k.By == key.By && equal(k.Label, key.Label) }) {
			return nil, fault.New(fault.Invalid, "two keys to group by are the same")
		}
	}
	return keys, nil
}

// groups returns the groups of the series that the filter matches, in order of their devices' names, metrics and labels:
// none when it matches nothing.
func (r *Resolver) groups(ctx context.Context, where *db.SeriesWhereInput, q question) ([]*group, error) {
	devices := selects(ctx, "StatisticGroup", "device") || slices.ContainsFunc(q.groupBy, byDevice)
	found, err := r.choose(ctx, where, devices)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*group{}
	for _, s := range found {
		order, labels := placeOf(s, q.groupBy)
		key := keyOf(order)
		g := byKey[key]
		if g == nil {
			g = &group{labels: labels, order: order, device: s.Edges.Device}
			byKey[key] = g
		}
		if g.series = append(g.series, s); s.DeviceID != g.series[0].DeviceID {
			g.device = nil
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b *group) int { return slices.Compare(a.order, b.order) }), nil
}

func byDevice(key gql.GroupKey) bool {
	return key.By == gql.GroupByDevice || key.By == gql.GroupBySeries
}

// placeOf returns what tells the group of a series from others, in the order in which groups come, and the labels that it is
// grouped by. The order does not depend on that of the keys: device, metric, label by label, series.
func placeOf(s *db.Series, keys []gql.GroupKey) (order []string, labels map[string]string) {
	labels = map[string]string{}
	var device, metric, id string
	var values []string
	for _, key := range keys {
		switch key.By {
		case gql.GroupByDevice:
			device = deviceKey(s)
		case gql.GroupByMetric:
			metric = s.Metric
		case gql.GroupByLabel:
			value, there := s.Labels[*key.Label]
			if there {
				labels[*key.Label] = value
			}
			values = append(values, strconv.FormatBool(there), value) // those without it come first
		case gql.GroupBySeries:
			device, metric, id = deviceKey(s), s.Metric, paddedID(s.ID)
			maps.Copy(labels, s.Labels)
			values = append(values, labelsText(s.Labels))
		}
	}
	return append(append([]string{device, metric}, values...), id), labels
}

// deviceKey is a device's name, and its id, since names are unique in their project alone.
func deviceKey(s *db.Series) string { return s.Edges.Device.Name + "\x00" + paddedID(s.DeviceID) }

func paddedID(id int64) string {
	text := strconv.FormatInt(id, 10)
	return strings.Repeat("0", 19-len(text)) + text
}

// labelsText is labels as text that orders them: by key, then value.
func labelsText(labels map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(key + "\x00" + labels[key] + "\x00")
	}
	return b.String()
}

// keyOf joins texts so that different ones stay different.
func keyOf(texts []string) string {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString(strconv.Itoa(len(t)) + ":" + t)
	}
	return b.String()
}

// show returns the groups of an answer as the API has them, in its order.
func show(groups []*group, a *analysis.Answer, fill stats.Fill) []*gql.StatisticGroup {
	shown := make([]*gql.StatisticGroup, len(a.Groups))
	for i, g := range a.Groups {
		of := groups[g.Place]
		shown[i] = &gql.StatisticGroup{
			Device: of.device, Labels: of.labels, Series: len(of.series),
			Metric:  same(of.series, func(s *db.Series) string { return s.Metric }),
			Unit:    same(of.series, func(s *db.Series) string { return s.Unit }),
			Total:   a.Total(i),
			Buckets: a.Statistics(i, fill),
		}
	}
	return shown
}

// same returns what all of the series have; nil when they differ, or have nothing.
func same(found []*db.Series, of func(*db.Series) string) *string {
	v := of(found[0])
	if v == "" || slices.ContainsFunc(found, func(s *db.Series) bool { return of(s) != v }) {
		return nil
	}
	return &v
}

// selects reports whether the objects that the current field answers are asked for a field.
func selects(ctx context.Context, object, field string) bool {
	set := graphql.GetFieldContext(ctx).Field.Selections
	return slices.ContainsFunc(graphql.CollectFields(graphql.GetOperationContext(ctx), set, []string{object}),
		func(f graphql.CollectedField) bool { return f.Name == field })
}

// ranking is by what groups are ranked, and how many are kept.
type ranking struct {
	k         int
	by        stats.Statistic
	need      stats.Need
	ascending bool
}

func rankingOf(in *gql.TopInput) (*ranking, error) {
	if in == nil {
		return nil, nil
	}
	if in.K < 1 || in.K > maxTop {
		return nil, fault.New(fault.Invalid, "the k of top is from 1 to %d", maxTop)
	}
	t := &ranking{k: in.K, ascending: in.Ascending != nil && *in.Ascending}
	var err error
	t.by, t.need, err = stats.Named(strings.ToLower(string(in.By)))
	return t, err
}

// rank keeps the groups that rank first, if that was asked.
func (q *question) rank(a *analysis.Answer) {
	if q.top != nil {
		a.Top(q.top.k, q.top.by, q.top.ascending)
	}
}
