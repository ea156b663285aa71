package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

const (
	maxStatisticSeries = 10_000 // series that one field takes together
	maxTop             = 10_000 // groups that are ranked
)

// question is what a field of statistics asks, understood and checked; what it asks of is said elsewhere.
type question struct {
	from, to *int64 // µs; nil: the first reading, now
	window   stats.Window
	shift    stats.Period
	fill     stats.Fill
	need     stats.Need
	totals   bool // whether totals are needed as the buckets are
	now      time.Time
	groupBy  []gql.GroupKey
	top      *ranking
}

// asked understands what all fields of statistics have in common; a fault Invalid for what cannot be asked.
func asked(
	ctx context.Context, in *gql.TimeRange, window *gql.WindowInput, fill *gql.Fill, compareTo *stats.Period,
) (q question, err error) {
	q.now = scalar.Now(ctx)
	if q.from, q.to, err = openBounds(in); err != nil {
		return q, err
	}
	if q.window, err = windowOf(window); err != nil {
		return q, err
	}
	if compareTo != nil {
		q.shift = *compareTo
	}
	q.fill = stats.FillNone
	if fill != nil {
		q.fill = stats.Fill(*fill)
	}
	return q, nil
}

// request returns what the engine is asked for, of groups of series.
func (q *question) request(groups []*group) analysis.Request {
	r := analysis.Request{
		Groups: make([][]analysis.Member, len(groups)),
		From:   q.from, To: q.to, Window: q.window, Need: q.need, Shift: q.shift, Now: q.now, NoTotals: !q.totals,
	}
	if q.top != nil {
		r.Keep = q.top.k
	}
	for i, g := range groups {
		r.Groups[i] = members(g.series)
	}
	return r
}

func members(found []*db.Series) []analysis.Member {
	ms := make([]analysis.Member, len(found))
	for i, s := range found {
		ms[i] = analysis.Member{Project: s.ProjectID, Series: s.ID, Labels: s.Labels}
	}
	return ms
}

// statisticsOf answers Series.statistics.
func (r *Resolver) statisticsOf(
	ctx context.Context, s *db.Series, in *gql.TimeRange, window *gql.WindowInput, fill *gql.Fill, compareTo *stats.Period,
) ([]*analysis.Statistic, error) {
	q, err := asked(ctx, in, window, fill, compareTo)
	if err != nil {
		return nil, err
	}
	if q.need, err = needOfStatistics(ctx); err != nil {
		return nil, err
	}
	a, err := r.analyse(ctx, q.request([]*group{{series: []*db.Series{s}}}))
	if err != nil {
		return nil, err
	}
	list := a.Statistics(0, q.fill)
	return list, afford(ctx, shown{items: len(list), values: held(a)})
}

// statistics answers Query.statistics.
func (r *Resolver) statistics(ctx context.Context, where *db.SeriesWhereInput, q question) ([]*gql.StatisticGroup, error) {
	groups, err := r.groups(ctx, where, q)
	if err != nil || len(groups) == 0 {
		return []*gql.StatisticGroup{}, err
	}
	a, err := r.analyse(ctx, q.request(groups))
	if err != nil {
		return nil, err
	}
	q.rank(a)
	list := show(groups, a, q.fill)
	return list, afford(ctx, shown{items: len(list), buckets: bucketsOf(list), values: held(a)})
}

// askedOfGroups understands what Query.statistics and the subscription ask beside the series.
func askedOfGroups(
	ctx context.Context, in *gql.TimeRange, window *gql.WindowInput, by []*gql.GroupKey, fill *gql.Fill, compareTo *stats.Period, top *gql.TopInput,
) (q question, err error) {
	if q, err = asked(ctx, in, window, fill, compareTo); err != nil {
		return q, err
	}
	if q.groupBy, err = groupKeys(by); err != nil {
		return q, err
	}
	if q.need, err = needOfGroups(ctx); err != nil {
		return q, err
	}
	if q.top, err = rankingOf(top); err != nil {
		return q, err
	}
	if q.top != nil {
		q.need = q.need.And(q.top.need)
	}
	q.totals = q.top != nil || selects(ctx, "StatisticGroup", "total")
	return q, nil
}

// analyse asks the engine, and notes how it went for who wants it explained.
func (r *Resolver) analyse(ctx context.Context, request analysis.Request) (*analysis.Answer, error) {
	done, err := turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	noteMembers(ctx, request.Groups...)
	a, err := r.Analysis.Answer(ctx, request)
	if err != nil {
		return nil, err
	}
	explain(ctx, a.Explain)
	return a, nil
}

// choose returns the series that the filter matches and the rules show, at most maxStatisticSeries, with their devices where
// they are wanted.
func (r *Resolver) choose(ctx context.Context, where *db.SeriesWhereInput, devices bool) ([]*db.Series, error) {
	q, err := where.Filter(r.Client.Series.Query())
	if err != nil {
		return nil, err
	}
	if devices {
		q = q.WithDevice()
	}
	found, err := q.Order(series.ByID()).Limit(maxStatisticSeries + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) > maxStatisticSeries {
		return nil, fault.New(fault.Invalid, "the filter matches more than %d series: narrow it", maxStatisticSeries)
	}
	return found, nil
}
