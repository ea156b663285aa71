package main_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// visit is a request that a monitored service has answered.
type visit struct {
	at                    time.Time
	took                  float64 // ms
	endpoint, version, ip string
}

// visits are a hundred of them on two days around the end of summer time in Berlin; what they come to is easy to tell.
func visits() (vs []visit) {
	start := time.Date(2024, 10, 26, 8, 0, 0, 123_000, time.UTC)
	for i := range 100 {
		vs = append(vs, visit{
			at: start.Add(time.Duration(i) * 20 * time.Minute), took: float64(i + 1), endpoint: []string{"/cart", "/search"}[i%2],
			version: []string{"1.0", "1.1"}[i/60], ip: fmt.Sprintf("192.0.2.%d", i%7+1),
		})
	}
	return vs
}

// figures are what a dashboard shows of some visits, computed here by their definitions.
type figures struct {
	Visits, UniqueVisitors                       int
	Total, Average, Fastest, Q1, Median, Q3, P90 float64
	P99, Slowest                                 float64
}

func figuresOf(vs []visit) (f figures) {
	ips := map[string]bool{}
	var took []float64
	for _, v := range vs {
		ips[v.ip] = true
		took = append(took, v.took)
		f.Total += v.took
	}
	slices.Sort(took)
	quantile := func(q float64) float64 {
		rank := q * float64(len(took)-1)
		low := int(rank)
		return took[low] + (rank-float64(low))*(took[min(low+1, len(took)-1)]-took[low])
	}
	f.Visits, f.UniqueVisitors, f.Average = len(vs), len(ips), f.Total/float64(len(vs))
	f.Fastest, f.Q1, f.Median, f.Q3 = took[0], quantile(0.25), quantile(0.5), quantile(0.75)
	f.P90, f.P99, f.Slowest = quantile(0.9), quantile(0.99), took[len(took)-1]
	return f
}

// by divides visits.
func by[K comparable](vs []visit, key func(visit) K) map[K][]visit {
	groups := map[K][]visit{}
	for _, v := range vs {
		groups[key(v)] = append(groups[key(v)], v)
	}
	return groups
}

func endpointOf(v visit) string { return v.endpoint }

// recipe is the documentation's chapter on web services: its queries by name, and the selections of its table by figure.
type recipe struct {
	queries, selections map[string]string
}

func readRecipe(t *testing.T) recipe {
	t.Helper()
	text, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	r := recipe{map[string]string{}, map[string]string{}}
	for _, block := range regexp.MustCompile("(?s)```graphql\n(query (\\w+).*?)```").FindAllStringSubmatch(string(text), -1) {
		r.queries[block[2]] = block[1]
	}
	for _, row := range regexp.MustCompile("(?m)^\\| ([^|]+) \\| `([^|]+)` \\|$").FindAllStringSubmatch(string(text), -1) {
		r.selections[row[1]] = row[2]
	}
	return r
}

// monitored is a server with the visits of a service.
type monitored struct {
	t          *testing.T
	url, token string
	recipe     recipe
	tried      map[string]bool
}

func newMonitored(t *testing.T) *monitored {
	t.Helper()
	dir := dataDir(t)
	server := serve(t, "127.0.0.1:0", dir)
	const email = "owner@example.org"
	password := field(t, readout(t, "user", "create", email, "--generate", "--data-dir", dir), "password")
	project := field(t, readout(t, "project", "create", "Web", "--owner", email, "--data-dir", dir), "project")
	key := field(t, readout(t, "key", "create", "--project", project, "--data-dir", dir), "secret")
	var body []map[string]any
	for _, v := range visits() {
		body = append(body, map[string]any{
			"device": "shop", "time": v.at.Format(time.RFC3339Nano), "metric": "execution_time", "value": v.took, "unit": "ms",
			"labels": map[string]string{"endpoint": v.endpoint, "version": v.version, "ip": v.ip},
		}, map[string]any{
			"device": "shop", "time": v.at.Format(time.RFC3339Nano), "metric": "visit", "value": 1, "labels": map[string]string{"ip": v.ip},
		})
	}
	if status, text := post(t, server.url+"/v1/readings", key, body, nil); status != http.StatusOK {
		t.Fatalf("send: %d %s", status, text)
	}
	return &monitored{t: t, url: server.url, token: login(t, server.url, email, false, password), recipe: readRecipe(t), tried: map[string]bool{}}
}

// ask runs a query of the recipe and decodes its data.
func (m *monitored) ask(name string, variables map[string]any, into any) {
	m.t.Helper()
	query := m.recipe.queries[name]
	if query == "" {
		m.t.Fatalf("the recipe has no query %s", name)
	}
	m.tried[name] = true
	m.run(query, variables, into)
}

func (m *monitored) run(query string, variables map[string]any, into any) {
	m.t.Helper()
	var a struct {
		Data   json.RawMessage
		Errors []any
	}
	_, text := post(m.t, m.url+"/graphql", m.token, map[string]any{"query": query, "variables": variables}, &a)
	if len(a.Errors) > 0 {
		m.t.Fatalf("%s\n%s", query, text)
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		m.t.Fatalf("%v in %s", err, text)
	}
}

// sum is a Statistic as the recipe's queries select it.
type sum struct {
	Label                    *string
	Start, End               time.Time
	Count, Distinct          int
	Sum, Mean, Min, Max      float64
	Quantiles                []float64
	Boxplot                  struct{ Min, Q1, Median, Q3, Max, Mean, P90, P99 float64 }
	Visits, UniqueVisitors   int
	TotalExecutionTime       float64
	AverageExecutionTime     float64
	Fastest, FastestQuartile float64
	Median, SlowestQuartile  float64
	P90, P99, Slowest        float64
	Exact                    bool
}

type sums struct {
	Statistics []struct {
		Labels  map[string]string
		Total   sum
		Buckets []sum
	}
}

// figures are what a statistic says with count, sum … and the five quantiles.
func (s sum) figures() figures {
	f := figures{Visits: s.Count, UniqueVisitors: s.Distinct, Total: s.Sum, Average: s.Mean, Fastest: s.Min, Slowest: s.Max}
	if len(s.Quantiles) == 5 {
		f.Q1, f.Median, f.Q3, f.P90, f.P99 = s.Quantiles[0], s.Quantiles[1], s.Quantiles[2], s.Quantiles[3], s.Quantiles[4]
	}
	return f
}

func (m *monitored) same(what string, got, want figures) {
	m.t.Helper()
	list := func(f figures) []float64 {
		return []float64{float64(f.Visits), float64(f.UniqueVisitors), f.Total, f.Average, f.Fastest, f.Q1, f.Median, f.Q3, f.P90, f.P99, f.Slowest}
	}
	w := list(want)
	for i, g := range list(got) {
		if math.Abs(g-w[i]) > 1e-9*math.Abs(w[i]) {
			m.t.Errorf("%s: %+v, want %+v", what, got, want)
			return
		}
	}
}

func TestWebServiceRecipeGivesItsFigures(t *testing.T) {
	t.Parallel()
	m := newMonitored(t)
	all := visits()
	whole := map[string]any{"from": "2024-10-26T00:00:00Z", "to": "2024-10-28T00:00:00Z"}

	m.figures(all, whole)
	m.groups(all, whole)
	m.timeslices(all, whole)
	m.boxplots(all, whole)
	m.heatmaps(all, whole)
	m.visitors(all, whole)
	m.csv(all)

	for name := range m.recipe.queries {
		if !m.tried[name] {
			t.Errorf("nothing tries the recipe's query %s", name)
		}
	}
}

// figures tries the table of figures, each alone, and all at once.
func (m *monitored) figures(all []visit, whole map[string]any) {
	m.t.Helper()
	f := figuresOf(all)
	if f.Visits != 100 || f.Total != 5050 || f.UniqueVisitors != 7 || f.Q1 != 25.75 { // by pencil
		m.t.Fatalf("the test itself is wrong: %+v", f)
	}
	want := map[string]float64{
		"total visits": 100, "total execution time": 5050, "average execution time": 50.5, "unique visitors": 7, "fastest": 1,
		"fastest quartile": 25.75, "median": 50.5, "slowest quartile": 75.25, "90th percentile": 90.1, "99th percentile": 99.01, "slowest": 100,
	}
	if len(m.recipe.selections) != len(want) {
		m.t.Errorf("the recipe has the figures %v", slices.Collect(maps.Keys(m.recipe.selections)))
	}
	for figure, selection := range m.recipe.selections {
		query := `query($from: Time, $to: Time) { statistics(series: {metric: "execution_time", hasDeviceWith: [{name: "shop"}]}, range: {from: $from, to: $to}) { ` + selection + ` } }`
		var a struct {
			Statistics []struct{ Total map[string]float64 }
		}
		m.run(query, whole, &a)
		for _, got := range a.Statistics[0].Total {
			if math.Abs(got-want[figure]) > 1e-9 {
				m.t.Errorf("%s is %v, want %v", figure, got, want[figure])
			}
		}
	}
	for _, variables := range []map[string]any{whole, nil} { // no range: all there is
		var a sums
		m.ask("Figures", variables, &a)
		s := a.Statistics[0].Total
		m.same("all figures", figures{
			Visits: s.Visits, UniqueVisitors: s.UniqueVisitors, Total: s.TotalExecutionTime, Average: s.AverageExecutionTime, Fastest: s.Fastest,
			Q1: s.FastestQuartile, Median: s.Median, Q3: s.SlowestQuartile, P90: s.P90, P99: s.P99, Slowest: s.Slowest,
		}, f)
		if !s.Exact {
			m.t.Error("the figures of a hundred visits are not exact")
		}
	}
}

// groups tries visits per address, and endpoints.
func (m *monitored) groups(all []visit, whole map[string]any) {
	m.t.Helper()
	var a sums
	m.ask("VisitsPerIP", whole, &a)
	perIP := by(all, func(v visit) string { return v.ip })
	got := map[string]int{}
	for i, g := range a.Statistics {
		got[g.Labels["ip"]] = g.Total.Count
		if i > 0 && g.Total.Count > a.Statistics[i-1].Total.Count {
			m.t.Error("visits per address are not in the order of their number")
		}
	}
	for ip, vs := range perIP {
		if got[ip] != len(vs) || len(got) != len(perIP) {
			m.t.Errorf("visits per address are %v; %s has %d", got, ip, len(vs))
		}
	}

	a = sums{}
	m.ask("Endpoints", whole, &a)
	if len(a.Statistics) != 2 || a.Statistics[0].Labels["endpoint"] != "/search" { // the visit of 100 ms
		m.t.Errorf("endpoints are %+v, want the slowest first", a.Statistics)
	}
	for _, g := range a.Statistics {
		m.same(g.Labels["endpoint"], g.Total.figures(), figuresOf(by(all, endpointOf)[g.Labels["endpoint"]]))
	}

	a = sums{}
	m.ask("OneEndpoint", whole, &a)
	if s := a.Statistics[0].Total; s.Count != 50 || s.Mean != 50 { // 1, 3, 5 … 99
		m.t.Errorf("one endpoint: %+v", s)
	}
}

// timeslices tries each unit, static and dynamic.
func (m *monitored) timeslices(all []visit, whole map[string]any) {
	m.t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		m.t.Fatal(err)
	}
	static := map[string]func(time.Time) string{
		"YEAR": func(at time.Time) string { return at.Format("2006") }, "MONTH": func(at time.Time) string { return at.Format("2006-01") },
		"WEEK": func(at time.Time) string { y, w := at.ISOWeek(); return fmt.Sprintf("%d-W%02d", y, w) },
		"DAY":  func(at time.Time) string { return at.Format(time.DateOnly) },
		"HOUR": func(at time.Time) string {
			label := at.Format("2006-01-02T15")
			if label == "2024-10-27T02" { // the clock shows it twice
				label = at.Format("2006-01-02T15-07:00")
			}
			return label
		},
		"MINUTE": func(at time.Time) string {
			label := at.Format("2006-01-02T15:04")
			if strings.HasPrefix(label, "2024-10-27T02") {
				label = at.Format("2006-01-02T15:04-07:00")
			}
			return label
		},
	}
	for unit, label := range static {
		var a sums
		m.ask("StaticTimeslices", with(whole, "unit", unit), &a)
		want := by(all, func(v visit) string { return label(v.at.In(berlin)) })
		if got := a.Statistics[0].Buckets; len(got) != len(want) {
			m.t.Errorf("%d static timeslices by %s, want %d", len(got), unit, len(want))
		}
		for _, s := range a.Statistics[0].Buckets {
			if s.Label == nil || len(want[*s.Label]) == 0 {
				m.t.Errorf("no visits lie in the timeslice from %s by %s", s.Start, unit)
				continue
			}
			m.same("static "+*s.Label, s.figures(), figuresOf(want[*s.Label]))
		}
	}

	from := time.Date(2024, 10, 26, 8, 10, 0, 0, time.UTC)
	counts := map[string]int{"YEAR": 1, "MONTH": 1, "WEEK": 1, "DAY": 2, "HOUR": 33, "MINUTE": 99}
	for unit, count := range counts {
		var a sums
		m.ask("DynamicTimeslices", map[string]any{"from": from, "to": "2024-10-28T00:00:00Z", "unit": unit}, &a)
		slices := a.Statistics[0].Buckets
		if len(slices) != count {
			m.t.Errorf("%d dynamic timeslices by %s, want %d", len(slices), unit, count)
		}
		for _, s := range slices {
			want := by(all, func(v visit) bool { return !v.at.Before(s.Start) && v.at.Before(s.End) && !v.at.Before(from) })[true]
			if len(want) == 0 {
				m.t.Errorf("no visits lie in the timeslice from %s by %s", s.Start, unit)
				continue
			}
			m.same("dynamic "+unit, s.figures(), figuresOf(want))
		}
	}
	var a sums
	m.ask("DynamicTimeslices", map[string]any{"from": from, "to": "2024-10-28T00:00:00Z", "unit": "DAY"}, &a)
	if end := a.Statistics[0].Buckets[0].End; !end.Equal(from.Add(25 * time.Hour)) {
		m.t.Errorf("the day from 10:10 on the 26th ends at %s, want 10:10 on the 27th, 25 hours later", end.In(berlin))
	}
}

// boxplots tries those per endpoint and those per version.
func (m *monitored) boxplots(all []visit, whole map[string]any) {
	m.t.Helper()
	for name, key := range map[string]func(visit) string{
		"EndpointBoxplots": endpointOf,
		"VersionBoxplots":  func(v visit) string { return v.endpoint + v.version },
	} {
		var a sums
		m.ask(name, whole, &a)
		want := by(all, key)
		if len(a.Statistics) != len(want) {
			m.t.Errorf("%s: %d groups, want %d", name, len(a.Statistics), len(want))
		}
		for _, g := range a.Statistics {
			f := figuresOf(want[g.Labels["endpoint"]+g.Labels["version"]])
			b := g.Total.Boxplot
			m.same(name, figures{
				Visits: f.Visits, UniqueVisitors: f.UniqueVisitors, Total: f.Total, Average: b.Mean, Fastest: b.Min, Q1: b.Q1, Median: b.Median,
				Q3: b.Q3, P90: b.P90, P99: b.P99, Slowest: b.Max,
			}, f)
		}
	}
}

// heatmaps tries both forms.
func (m *monitored) heatmaps(all []visit, whole map[string]any) {
	m.t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		m.t.Fatal(err)
	}
	for name, key := range map[string]func(visit) string{
		"VisitorsByDay":     func(v visit) string { return v.at.In(berlin).Format("2006-01-02 15") },
		"VisitorsByWeekday": func(v visit) string { return strings.ToUpper(v.at.In(berlin).Format("Monday 15")) },
	} {
		var a struct {
			Heatmap []struct {
				Day, Weekday string
				Hour         int
				Statistic    sum
			}
		}
		m.ask(name, whole, &a)
		want := by(all, key)
		if len(a.Heatmap) != len(want) {
			m.t.Errorf("%s: %d cells, want %d", name, len(a.Heatmap), len(want))
		}
		for _, c := range a.Heatmap {
			place := fmt.Sprintf("%s%s %02d", c.Day, c.Weekday, c.Hour) // the one or the other
			if got, want := [2]int{c.Statistic.Count, c.Statistic.Distinct}, figuresOf2(want[place]); got != want {
				m.t.Errorf("%s: %v, want %v", place, got, want)
			}
		}
	}
	var none struct{ Heatmap []any }
	if m.ask("VisitorsByDay", nil, &none); len(none.Heatmap) > 0 { // of the last ninety days
		m.t.Errorf("visits of 2024 are in the heatmap of the last days: %v", none)
	}
}

// visitors tries what counts them by a metric of their own.
func (m *monitored) visitors(all []visit, whole map[string]any) {
	m.t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		m.t.Fatal(err)
	}
	var a sums
	m.ask("Visitors", whole, &a)
	if got, want := [2]int{a.Statistics[0].Total.Count, a.Statistics[0].Total.Distinct}, figuresOf2(all); got != want {
		m.t.Errorf("visits and visitors are %v, want %v", got, want)
	}
	days := by(all, func(v visit) string { return v.at.In(berlin).Format(time.DateOnly) })
	if len(a.Statistics[0].Buckets) != len(days) {
		m.t.Errorf("visitors come on %d days, want %d", len(a.Statistics[0].Buckets), len(days))
	}
	for _, s := range a.Statistics[0].Buckets {
		if got, want := [2]int{s.Count, s.Distinct}, figuresOf2(days[*s.Label]); got != want {
			m.t.Errorf("on %s visits and visitors are %v, want %v", *s.Label, got, want)
		}
	}
}

// figuresOf2 are visits and visitors.
func figuresOf2(vs []visit) [2]int {
	if len(vs) == 0 {
		return [2]int{}
	}
	f := figuresOf(vs)
	return [2]int{f.Visits, f.UniqueVisitors}
}

// csv tries the export that the recipe shows.
func (m *monitored) csv(all []visit) {
	m.t.Helper()
	text, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		m.t.Fatal(err)
	}
	path := regexp.MustCompile(`curl "\$URL(/v1/export/statistics\?[^"]+)"`).FindSubmatch(text)
	if path == nil {
		m.t.Fatal("the recipe shows no export")
	}
	url := m.url + strings.Replace(string(path[1]), "from=-30d", "from=2024-10-26T00:00:00Z&to=2024-10-28T00:00:00Z", 1)
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil || len(rows) != 1+2*2 {
		m.t.Fatalf("%v in %s", err, body)
	}
	if head := strings.Join(rows[0], ","); head != "label:endpoint,start,end,label,count,mean,p50,p99,distinct:ip,exact" {
		m.t.Errorf("the head is %s", head)
	}
	berlin := time.FixedZone("", 2*3600) // until the night of the 27th
	for _, row := range rows[1:] {
		f := figuresOf(by(all, func(v visit) bool {
			return v.endpoint == row[0] && (v.at.In(berlin).Format(time.DateOnly) == row[3])
		})[true])
		want := []string{fmt.Sprint(f.Visits), fmt.Sprint(f.Average), fmt.Sprint(f.Median)}
		if !slices.Equal(row[4:7], want) || row[8] != fmt.Sprint(f.UniqueVisitors) || row[9] != "true" {
			m.t.Errorf("row %v, want %v", row, want)
		}
	}
}

// with returns variables and one more.
func with(variables map[string]any, name string, value any) map[string]any {
	more := maps.Clone(variables)
	more[name] = value
	return more
}
