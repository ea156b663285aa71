package export

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

const (
	defaultStatistics = "count,mean,min,max"
	maxStatistics     = 50
	maxThresholds     = 20 // different ones: each is looked at for each reading
	maxTop            = 10_000
)

// statisticsQuery is what a request for statistics asks for.
type statisticsQuery struct {
	query
	now       time.Time
	open      struct{ from, to bool } // the range has no beginning, no end
	window    stats.Window
	fill      stats.Fill
	groupBy   []string
	columns   []column
	need      stats.Need
	compareTo stats.Period
	top       int // 0: all groups
	topBy     stats.Statistic
	ascending bool
}

// column is a statistic as a row shows it.
type column struct {
	name string
	of   func(s *analysis.Statistic) *float64
}

// parseStatistics reads a request. What it does not know it refuses.
func parseStatistics(r *http.Request, now time.Time) (statisticsQuery, error) {
	q := statisticsQuery{now: now, fill: stats.FillNone, need: stats.Need{Plain: true}}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, fault.New(fault.BadRequest, "the query of the URL is not well formed")
	}
	if q.query, err = parseNames(r, values, now); err != nil {
		return q, err
	}
	q.open.from, q.open.to = !values.Has("from"), !values.Has("to")
	for name, take := range statisticsOptions {
		given, there := values[name]
		switch {
		case !there:
			continue
		case len(given) > 1 && name != "group_by":
			return q, fault.New(fault.BadRequest, "%s is given twice", name)
		}
		if err := take(&q, given); err != nil {
			return q, err
		}
	}
	return q, q.settle(values)
}

// parseNames reads what all exports take, and refuses what is neither that nor an option of statistics.
func parseNames(r *http.Request, values url.Values, now time.Time) (query, error) {
	common := url.Values{}
	for name, given := range values {
		switch {
		case isCommon(name):
			common[name] = given
		case statisticsOptions[name] == nil:
			return query{}, fault.New(fault.BadRequest, "the query takes series, metric, device, project, from, to, format, every, calendar, zone, "+
				"alignment, week_start, fill, group_by, statistics, compare_to, top, top_by and ascending")
		}
	}
	return parseValues(common, r.Header.Values("Accept"), now)
}

func isCommon(name string) bool {
	switch name {
	case "series", "metric", "device", "project", "from", "to", "format":
		return true
	}
	return false
}

// statisticsOptions reads each option by itself; statistics_query.settle sees to what they mean together.
var statisticsOptions = map[string]func(q *statisticsQuery, given []string) error{
	"every": func(q *statisticsQuery, given []string) (err error) {
		q.window.Every, err = stats.ParsePeriod(given[0])
		return err
	},
	"calendar": func(q *statisticsQuery, given []string) error {
		unit, err := stats.ParseUnit(given[0])
		q.window.Every = unit.Period()
		return err
	},
	"zone": func(q *statisticsQuery, given []string) (err error) {
		q.window.Zone, err = stats.LoadZone(given[0])
		return err
	},
	"alignment": func(q *statisticsQuery, given []string) error {
		q.window.FromRange = strings.EqualFold(given[0], "range")
		if !q.window.FromRange && !strings.EqualFold(given[0], "calendar") {
			return fault.New(fault.Invalid, "alignment is calendar or range")
		}
		return nil
	},
	"week_start": func(q *statisticsQuery, given []string) (err error) {
		q.window.WeekStart, err = stats.ParseWeekday(given[0])
		return err
	},
	"fill": func(q *statisticsQuery, given []string) (err error) {
		q.fill, err = stats.ParseFill(given[0])
		return err
	},
	"group_by": func(q *statisticsQuery, given []string) (err error) {
		q.groupBy, err = parseGroupBy(given)
		return err
	},
	"statistics": func(*statisticsQuery, []string) error { return nil }, // in settle: they have a default
	"compare_to": func(q *statisticsQuery, given []string) (err error) {
		q.compareTo, err = stats.ParsePeriod(given[0])
		return err
	},
	"top": func(q *statisticsQuery, given []string) (err error) {
		if q.top, err = strconv.Atoi(given[0]); err != nil || q.top < 1 || q.top > maxTop {
			return fault.New(fault.Invalid, "top is a number from 1 to %d", maxTop)
		}
		return nil
	},
	"top_by": func(q *statisticsQuery, given []string) (err error) {
		var need stats.Need
		q.topBy, need, err = stats.Named(named(given[0]))
		q.need = q.need.And(need)
		return err
	},
	"ascending": func(q *statisticsQuery, given []string) (err error) {
		q.ascending = given[0] == "true"
		if !q.ascending && given[0] != "false" {
			return fault.New(fault.Invalid, "ascending is true or false")
		}
		return nil
	},
}

// settle checks what the options mean together.
func (q *statisticsQuery) settle(values url.Values) error {
	switch {
	case values.Has("every") && values.Has("calendar"):
		return fault.New(fault.Invalid, "a window has every or calendar, not both")
	case values.Has("top") != values.Has("top_by"):
		return fault.New(fault.Invalid, "top says how many groups to keep and top_by by which statistic: give both")
	case values.Has("ascending") && !values.Has("top"):
		return fault.New(fault.Invalid, "ascending is for top")
	}
	names := defaultStatistics
	if values.Has("statistics") {
		names = values.Get("statistics")
	}
	return q.takeStatistics(strings.Split(names, ","))
}

func (q *statisticsQuery) takeStatistics(names []string) error {
	if len(names) > maxStatistics {
		return fault.New(fault.Invalid, "at most %d statistics", maxStatistics)
	}
	seen := map[string]bool{}
	for _, name := range names {
		name = named(name)
		if seen[name] {
			return fault.New(fault.Invalid, "statistics has the same name twice")
		}
		seen[name] = true
		of, need, err := stats.Named(name)
		if err != nil {
			return err
		}
		for _, label := range need.Labels {
			if err := checkLabel(label); err != nil {
				return err
			}
		}
		q.columns = append(q.columns, column{name, shown(name, of)})
		q.need = q.need.And(need)
	}
	if len(q.need.Thresholds) > maxThresholds {
		return fault.New(fault.Invalid, "at most %d different thresholds at once", maxThresholds)
	}
	return nil
}

// named returns the name of a statistic as stats.Named knows it, of one in any case and with space around it: what is behind
// a colon stays as it is.
func named(given string) string {
	kind, argument, argued := strings.Cut(strings.TrimSpace(given), ":")
	if kind = strings.ToLower(kind); argued {
		return kind + ":" + argument
	}
	return kind
}

// shown returns how a statistic that stats.Named calls so is shown: as its own method shows it, where there is one that says
// more than the value of the bucket or its fill.
func shown(name string, of stats.Statistic) func(*analysis.Statistic) *float64 {
	number := func(n int64) *float64 { v := float64(n); return &v }
	switch kind, argument, _ := strings.Cut(name, ":"); kind {
	case "count":
		return func(s *analysis.Statistic) *float64 { return number(s.Count()) }
	case "distinct":
		return func(s *analysis.Statistic) *float64 { return number(s.Distinct(argument)) }
	case "completeness":
		if every, err := stats.ParsePeriod(argument); err == nil {
			return func(s *analysis.Statistic) *float64 { return s.Completeness(every) }
		}
	}
	return func(s *analysis.Statistic) *float64 { return s.Value(of) }
}

// request returns what the engine is asked for, of groups of series.
func (q *statisticsQuery) request(groups []seriesGroup) analysis.Request {
	r := analysis.Request{
		Groups: make([][]analysis.Member, len(groups)), Window: q.window, Need: q.need, Shift: q.compareTo, Keep: q.top,
		NoTotals: q.top == 0, Now: q.now,
	}
	if !q.open.from {
		r.From = &q.from
	}
	if !q.open.to {
		r.To = &q.to
	}
	for i, g := range groups {
		r.Groups[i] = g.members
	}
	return r
}
