package graph_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	devices "github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/reading"
)

// newSeries makes a series of our project, on a device of that name.
func (w *world) newSeries(device, metric, unit string, labels map[string]string) int64 {
	w.t.Helper()
	ctx := auth.NewContext(w.t.Context(), auth.System())
	id, err := w.client.Device.Query().Where(devices.ProjectID(w.ours.project), devices.Name(device)).OnlyID(ctx)
	if err != nil {
		id = w.client.Device.Create().SetProjectID(w.ours.project).SetName(device).SaveX(ctx).ID
	}
	return w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(id).SetMetric(metric).SetUnit(unit).SetLabels(labels).SaveX(ctx).ID
}

// put stores readings of a series of our project: values a step apart, from a number of seconds after base on.
func (w *world) put(series int64, second, step int, values ...float64) {
	w.t.Helper()
	var rs []reading.Reading
	for i, v := range values {
		at := base.Add(time.Duration(second+i*step) * time.Second)
		rs = append(rs, reading.Reading{Series: series, Time: at.UnixMicro(), Value: v})
	}
	if _, err := w.journal.Append(w.t.Context(), w.ours.project, rs); err != nil {
		w.t.Fatal(err)
	}
}

// found asks as the viewer for one field called found, and returns it as JSON, with its names left out and quotes, too.
func (w *world) found(field string, variables ...any) string {
	w.t.Helper()
	a := w.ask("viewer", `{ found: `+field+` }`, variables...)
	if a.code() != ok {
		w.t.Fatalf("%s: %s", field, a.Body)
	}
	return plain(a.at("found"))
}

// plain writes what was found by its values alone: the fields of an object, in the order of their names, in parentheses.
func plain(v any) string {
	switch v := v.(type) {
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = plain(item)
		}
		return "[" + strings.Join(texts, " ") + "]"
	case map[string]any:
		b, _ := json.Marshal(v)
		var ordered []string
		for _, k := range keysOf(b) {
			ordered = append(ordered, plain(v[k]))
		}
		return "(" + strings.Join(ordered, " ") + ")"
	case float64:
		return strconv.FormatFloat(v, 'g', 12, 64)
	case nil:
		return "null"
	}
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprint(v), ":00:00Z"), ":00Z")
}

// keysOf returns the names of an object's members in the order of the alphabet, as encoding/json writes them.
func keysOf(object []byte) (keys []string) {
	d := json.NewDecoder(strings.NewReader(string(object)))
	_, _ = d.Token()
	for d.More() {
		key, _ := d.Token()
		var v json.RawMessage
		_ = d.Decode(&v)
		keys = append(keys, key.(string))
	}
	return keys
}

const (
	firstHours = `range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T04:00:00Z"}`
	byHour     = firstHours + `, window: {calendar: HOUR}`
)

func (w *world) statisticsOf(arguments, fields string) string {
	w.t.Helper()
	a := w.ask("viewer", `{ node(id: "`+id(w.ours.series)+`") { ... on Series { statistics(`+arguments+`) { `+fields+` } } } }`)
	if a.code() != ok {
		w.t.Fatalf("%s %s: %s", arguments, fields, a.Body)
	}
	return plain(a.at("node", "statistics"))
}

func TestStatisticsOfASeries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 900, 1, 2, 3, 4)   // 00:00 to 00:45
	w.put(w.ours.series, 7200, 900, 10, 0, 30) // 02:00 to 02:30
	f := func(arguments, fields, want string) {
		t.Helper()
		if got := w.statisticsOf(arguments, fields); got != want {
			t.Errorf("%s { %s }:\ngot  %s\nwant %s", arguments, fields, got, want)
		}
	}
	f(byHour, `a: start b: end c: label d: count`, "[(2026-11-01T00 2026-11-01T01 2026-11-01T00 4) (2026-11-01T02 2026-11-01T03 2026-11-01T02 3)]")
	f(byHour, `a: sum b: mean c: min d: max e: range f: first g: last`, "[(10 2.5 1 4 3 1 4) (40 13.3333333333 0 30 30 10 30)]")
	f(byHour, `a: median b: quantile(q: 0.25) c: quantiles(q: [1, 0])`, "[(2.5 1.75 [4 1]) (10 5 [30 0])]")
	f(byHour, `a: variance b: delta`, "[(1.66666666667 3) (233.333333333 20)]")
	f(byHour, `boxplot { a: min b: q1 c: median d: q3 e: max f: mean }`, "[((1 1.75 2.5 3.25 4 2.5)) ((0 5 10 20 30 13.3333333333))]")
	f(byHour, `histogram(bins: 2, min: 0, max: 4) { a: from b: to c: count }`, "[([(0 2 1) (2 4 3)]) ([(0 2 1) (2 4 0)])]")
	f(byHour, `a: completeness(every: "PT15M") b: completeness(every: "PT1H")`, "[(1 1) (0.75 1)]")
	f(byHour, `a: exact b: filled`, "[(true false) (true false)]")
	f(firstHours, `a: start b: end c: label d: count e: max`, "[(2026-11-01T00 2026-11-01T04 null 7 30)]")
	f(firstHours+`, window: {every: "PT2H"}`, `a: start b: sum`, "[(2026-11-01T00 10) (2026-11-01T02 40)]")
	f(`range: {from: "2026-11-01T00:10:00Z", to: "2026-11-01T02:10:00Z"}, window: {every: "PT1H", alignment: RANGE}`,
		`a: start b: label c: count`, "[(2026-11-01T00:10 null 3) (2026-11-01T01:10 null 1)]")
	f(`range: {from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z"}, window: {calendar: DAY, timeZone: "Asia/Kolkata"}`,
		`a: start b: label c: count`, "[(2026-10-31T18:30 2026-11-01 7)]")
	f(`range: {to: "2026-11-02T00:00:00Z"}, window: {calendar: WEEK}`, `a: start b: label`, "[(2026-10-26T00 2026-W44)]")
	f(`range: {to: "2026-11-02T00:00:00Z"}, window: {calendar: WEEK, weekStart: SUNDAY}`, `a: start b: label`, "[(2026-11-01T00 2026-11-01)]")
	f(`window: {calendar: YEAR}`, `a: start b: label c: count`, "[(2026-01-01T00 2026 7)]")
	f(`range: {from: "+1d", to: "+2d"}, window: {calendar: HOUR}`, `count`, "[]")
	f(`range: {from: "+1d"}, window: {calendar: HOUR}`, `count`, "[]")
	f(`range: {from: "2026-11-01T01:00:00Z", to: "2026-11-01T01:00:00Z"}`, `count`, "[]")
}

func TestEmptyBucketsAreFilled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 3600, 1800, 1, 3)
	w.put(w.ours.series, 3*3600, 1800, 5, 9)
	f := func(fill, want string) {
		t.Helper()
		arguments := `range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T05:00:00Z"}, window: {calendar: HOUR}, fill: ` + fill
		if got := w.statisticsOf(arguments, `a: count b: mean c: quantile(q: 0) d: filled`); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", fill, got, want)
		}
	}
	f("NONE", "[(2 2 1 false) (2 7 5 false)]")
	f("NULL", "[(0 null null true) (2 2 1 false) (0 null null true) (2 7 5 false) (0 null null true)]")
	f("ZERO", "[(0 0 0 true) (2 2 1 false) (0 0 0 true) (2 7 5 false) (0 0 0 true)]")
	f("PREVIOUS", "[(0 null null true) (2 2 1 false) (0 2 1 true) (2 7 5 false) (0 7 5 true)]")
	f("LINEAR", "[(0 null null true) (2 2 1 false) (0 4.5 3 true) (2 7 5 false) (0 null null true)]")
	if got := w.statisticsOf(byHour+`, fill: ZERO`, `a: histogram { count } b: distinct(label: "x") c: completeness(every: "PT1M") d: boxplot { max }`); !strings.HasPrefix(got, "[([] 0 0 (0)) (") {
		t.Errorf("the counts of an empty bucket: got %s", got)
	}
}

func TestStatisticsAreComparedWithAnEarlierTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 3600, 1, 2, 3)         // 00:00, 01:00, 02:00
	w.put(w.ours.series, 86400+3600, 3600, 20, 30) // the next day at 01:00, 02:00
	w.put(w.ours.series, 2*86400, 3600, 100)       // and at 00:00 of the day after
	const nextDay = `range: {from: "2026-11-02T00:00:00Z", to: "2026-11-02T04:00:00Z"}, window: {calendar: HOUR}, compareTo: "P1D"`
	f := func(arguments, want string) {
		t.Helper()
		if got := w.statisticsOf(arguments, `a: max b: previous { a: start b: max }`); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", arguments, got, want)
		}
	}
	f(nextDay, "[(20 (2026-11-01T01 2)) (30 (2026-11-01T02 3))]")
	f(nextDay+`, fill: NULL`, "[(null (2026-11-01T00 1)) (20 (2026-11-01T01 2)) (30 (2026-11-01T02 3)) (null (2026-11-01T03 null))]")
	f(strings.ReplaceAll(nextDay, "P1D", "PT1H"), "[(20 null) (30 (2026-11-02T01 20))]")
	got := w.found(`statistics(series: {}, ` + nextDay + `) { total { a: sum b: previous { a: start b: sum } } }`)
	if want := "[((50 (2026-11-01T00 6)))]"; got != want {
		t.Errorf("total: got %s, want %s", got, want)
	}
}

func TestSeriesAreGrouped(t *testing.T) {
	t.Parallel()
	w := setup(t) // with boiler's temperature, of one reading
	w.put(w.ours.series, 0, 60, 5)
	w.put(w.newSeries("boiler", "temperature", "Cel", map[string]string{"room": "2"}), 0, 60, 1, 2)
	w.put(w.newSeries("boiler", "humidity", "%", map[string]string{"room": "2", "wall": "n"}), 0, 60, 10)
	w.put(w.newSeries("attic", "temperature", "K", map[string]string{"room": "1"}), 0, 60, 300)
	w.newSeries("attic", "temperature", "K", map[string]string{"room": "2"}) // silent
	f := func(arguments, fields, want string) {
		t.Helper()
		if got := w.found(`statistics(series: {} ` + arguments + `) { ` + fields + ` total { count } }`); got != want {
			t.Errorf("%s { %s }:\ngot  %s\nwant %s", arguments, fields, got, want)
		}
	}
	const all = `a: device { name } b: metric c: unit d: labels e: series`
	f(``, all, "[(null null null () 5 (5))]")
	f(`, groupBy: []`, `e: series`, "[(5 (5))]")
	f(`, groupBy: {by: DEVICE}`, all, "[((attic) temperature K () 2 (1)) ((boiler) null null () 3 (4))]")
	f(`, groupBy: {by: METRIC}`, all, "[((boiler) humidity % () 1 (1)) (null temperature null () 4 (4))]")
	f(`, groupBy: {by: LABEL, label: "room"}`, all, "[((boiler) temperature Cel () 1 (1)) ((attic) temperature K (1) 1 (1)) (null null null (2) 3 (3))]")
	f(`, groupBy: [{by: LABEL, label: "room"}, {by: METRIC}]`, `b: metric d: labels`, "[(humidity (2) (1)) (temperature () (1)) (temperature (1) (1)) (temperature (2) (2))]")
	f(`, groupBy: {by: SERIES}`, all, "[((attic) temperature K (1) 1 (1)) ((attic) temperature K (2) 1 (0)) ((boiler) humidity % (2 n) 1 (1)) ((boiler) temperature Cel () 1 (1)) ((boiler) temperature Cel (2) 1 (2))]")
	f(`, groupBy: {by: SERIES}, top: {k: 2, by: MAX}`, `a: device { name } d: labels`, "[((attic) (1) (1)) ((boiler) (2 n) (1))]")
	f(`, groupBy: {by: SERIES}, top: {k: 9, by: MEDIAN, ascending: true}`, `d: labels`, "[((2) (2)) (() (1)) ((2 n) (1)) ((1) (1)) ((2) (0))]")
	if got, want := w.found(`statistics(series: {}) { buckets { a: count b: distinct(label: "room") c: distinct(label: "none") } }`), "[([(5 2 0)])]"; got != want {
		t.Errorf("distinct labels: got %s, want %s", got, want)
	}
	if got, want := w.found(`statistics(series: {metric: "humidity"}) { a: device { id name series { totalCount } } }`), fmt.Sprintf("[((%d boiler (3)))]", w.ours.device); got != want {
		t.Errorf("a whole device: got %s, want %s", got, want)
	}
}

// Devices have the same name in several projects, and are different ones.
func TestGroupsKeepProjectsApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.client.Member.Create().SetProjectID(w.theirs.project).SetUserID(w.users["viewer"]).SetRole(member.RoleVIEWER).SaveX(auth.NewContext(t.Context(), auth.System()))
	w.send(w.ours.series, 1, 2)
	w.send(w.theirs.series, 3)
	if got, want := w.found(`statistics(series: {}, groupBy: {by: DEVICE}) { a: device { name } total { count } }`), "[((boiler) (2)) ((boiler) (1))]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := w.found(`statistics(series: {}) { series total { count } }`), "[(2 (3))]"; got != want {
		t.Errorf("together: got %s, want %s", got, want)
	}
}

func TestLateReadingChangesItsBucketAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 600, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	const fields = `a: count b: mean c: quantile(q: 0.9)`
	if got, want := w.statisticsOf(byHour, fields), "[(6 3.5 5.5) (6 9.5 11.5)]"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	w.put(w.ours.series, 1, 1, 10)
	w.put(w.ours.series, 0, 1, 8) // a correction
	if got, want := w.statisticsOf(byHour, fields), "[(7 5.42857142857 8.8) (6 9.5 11.5)]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsNotDefinedIsNull(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 60, 3)
	w.put(w.ours.series, 3600, 60, 1e308, 1e308, -1e308)
	w.put(w.ours.series, 7200, 60, 7, 7)
	const fields = `a: stddev b: variance c: rate d: timeWeightedMean e: completeness(every: "P1D")`
	if got, want := w.statisticsOf(byHour, fields), "[(null null "; !strings.HasPrefix(got, want) {
		t.Errorf("one reading: got %s, want %s…", got, want)
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if got := w.statisticsOf(byHour, `sum mean range stddev variance delta rate integral timeWeightedMean median boxplot { q1 p99 } histogram { from to }`); strings.Contains(got, bad) {
			t.Errorf("got %s", got)
		}
	}
	none := w.found(`statistics(series: {metric: "temperature"}, range: {to: "2026-10-01T00:00:00Z"}) { total { a: count b: sum c: mean d: min e: stddev f: median g: boxplot { min } h: histogram { count } i: distinct(label: "x") } buckets { count } }`)
	if want := "[([] (0 null null null null null null [] 0))]"; none != want {
		t.Errorf("no readings: got %s, want %s", none, want)
	}
	if got := w.found(`statistics(series: {metric: "none"}) { total { count } }`); got != "[]" {
		t.Errorf("no series: got %s, want []", got)
	}
}

func TestHeatmapPutsHoursTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 30*60, 3600, 1, 2)            // a Sunday at 00:30 and 01:30, UTC
	w.put(w.ours.series, 7*86400+30*60, 86400, 10, 20) // the next Sunday, and Monday
	f := func(arguments, fields, want string) {
		t.Helper()
		if got := w.found(`heatmap(series: {}, ` + arguments + `) { ` + fields + ` }`); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", arguments, got, want)
		}
	}
	const cell = `a: day b: weekday c: hour d: statistic { a: count b: mean }`
	f(`by: WEEKDAY`, cell, "[(null MONDAY 0 (1 20)) (null SUNDAY 0 (2 5.5)) (null SUNDAY 1 (1 2))]")
	f(`range: {from: "2026-11-08T00:00:00Z"}`, cell, "[(null MONDAY 0 (1 20)) (null SUNDAY 0 (1 10))]")
	f(`range: {from: "2010-01-01T00:00:00Z", to: "2026-11-08T00:00:00Z"}`, cell, "[(null SUNDAY 0 (1 1)) (null SUNDAY 1 (1 2))]")
	f(`by: DAY, range: {to: "2026-11-01T01:00:00Z"}`, `a: statistic { completeness(every: "PT30M") }`, "[((1))]")
	f(`range: {to: "2026-11-01T01:00:00Z"}`, `a: statistic { completeness(every: "PT30M") }`, "[((null))]")
	f(`by: DAY`, cell, "[(2026-11-01 SUNDAY 0 (1 1)) (2026-11-01 SUNDAY 1 (1 2)) (2026-11-08 SUNDAY 0 (1 10)) (2026-11-09 MONDAY 0 (1 20))]")
	f(`timeZone: "Asia/Kolkata"`, `a: weekday b: hour c: statistic { median }`, "[(MONDAY 6 (20)) (SUNDAY 6 (5.5)) (SUNDAY 7 (2))]")
	w.put(w.ours.series, 30*60-770*86400, 60, 100) // a Sunday at 00:30 more than two years before: no 11,000 hours
	f(`by: WEEKDAY`, cell, "[(null MONDAY 0 (1 20)) (null SUNDAY 0 (3 37)) (null SUNDAY 1 (1 2))]")
}

func TestCorrelationOfTwoSeries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.newSeries("boiler", "humidity", "%", nil)
	w.put(w.ours.series, 0, 60, 1, 2, 3, 4)
	w.put(w.ours.series, 3600, 60, 1, 2, 3)
	w.put(other, 0, 60, 10, 20, 30)
	w.put(other, 3600, 60, 3, 2, 1)
	f := func(arguments, want string) {
		t.Helper()
		got := w.found(fmt.Sprintf(`correlation(x: "%d", y: "%d", `, w.ours.series, other) + arguments + `, step: "PT1M") { a: start b: pairs c: coefficient }`)
		if got != want {
			t.Errorf("%s: got %s, want %s", arguments, got, want)
		}
	}
	f(`range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T03:00:00Z"}, window: {calendar: HOUR}`,
		"[(2026-11-01T00 3 1) (2026-11-01T01 3 -1) (2026-11-01T02 0 null)]")
}

func TestAnswersOfStatisticsAreExplained(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 60, 1, 2, 3)
	const query = `{ one: statistics(series: {}) { total { mean } } two: heatmap(series: {}) { hour } }`
	explained := w.post("viewer", map[string]any{"query": query, "extensions": map[string]any{"explain": true}})
	var got struct {
		Extensions struct {
			Statistics []struct {
				Path              []any
				Resolution        string
				Sources           []string
				Readings, Rollups *int
				Milliseconds      *float64
			}
		}
	}
	if err := json.Unmarshal([]byte(explained.Body), &got); err != nil {
		t.Fatal(err)
	}
	paths := map[any]bool{}
	for _, e := range got.Extensions.Statistics {
		paths[e.Path[0]] = true
		if e.Resolution != "RAW" || len(e.Sources) == 0 || e.Readings == nil || *e.Readings != 3 || e.Rollups == nil || e.Milliseconds == nil {
			t.Errorf("got %s", explained.Body)
		}
	}
	if !paths["one"] || !paths["two"] {
		t.Errorf("got %s, want how one and two were computed", explained.Body)
	}
	for _, extensions := range []map[string]any{nil, {"explain": false}, {"explain": "yes"}} {
		if silent := w.post("viewer", map[string]any{"query": query, "extensions": extensions}); strings.Contains(silent.Body, "extensions") {
			t.Errorf("%v: got %s, want no extensions", extensions, silent.Body)
		}
	}
}

func TestSenselessStatisticsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, 0, 60, 1, 2, 3)
	many := func(arguments string) string { return `statistics(series: {}, ` + arguments + `) { total { count } }` }
	for want, fields := range map[string][]string{
		"BAD_USER_INPUT": {
			many(`window: {}`),
			many(`window: {timeZone: "UTC"}`),
			many(`window: {every: "PT1H", calendar: HOUR}`),
			many(`window: {every: "PT0S"}`),
			many(`window: {every: "-PT1S"}`),
			many(`window: {every: "1h"}`),
			many(`window: {every: "1mo"}`),
			many(`window: {every: "1ns"}`),
			many(`window: {every: "NaN"}`),
			many(`window: {every: "P1000Y"}`),
			many(`window: {every: "P99999999999999999999D"}`),
			many(`window: {calendar: DAY, timeZone: "Mars/Olympus"}`),
			many(`window: {calendar: DAY, timeZone: ""}`),
			many(`window: {calendar: DAY, timeZone: "Local"}`),
			many(`window: {calendar: DAY, timeZone: "../../etc/passwd"}`),
			many(`range: {from: "-1d", to: "-2d"}`),
			many(`range: {from: "-10d"}, window: {every: "PT1S"}`),
			many(`range: {from: "1970-01-01T00:00:00Z", to: "9999-12-31T00:00:00Z"}, window: {every: "PT0.001S"}`),
			many(`compareTo: "P0D"`),
			many(`groupBy: {by: LABEL}`),
			many(`groupBy: {by: LABEL, label: ""}`),
			many(`groupBy: {by: DEVICE, label: "room"}`),
			many(`groupBy: [` + strings.Repeat(`{by: DEVICE} `, 11) + `]`),
			many(`top: {k: 0, by: COUNT}`),
			many(`top: {k: -1, by: COUNT}`),
			many(`top: {k: 10001, by: COUNT}`),
			`statistics(series: {}) { total { quantile(q: 2) } }`,
			`statistics(series: {}) { total { quantiles(q: [0.5, -1]) } }`,
			`statistics(series: {}) { buckets { histogram(bins: 1001) { count } } }`,
			`statistics(series: {}) { buckets { completeness(every: "PT0S") } }`,
			`heatmap(series: {}, timeZone: "Nowhere") { hour }`,
			`heatmap(series: {}, range: {from: "1970-01-01T00:00:00Z"}) { hour }`,
			`heatmap(series: {}, by: DAY, range: {from: "-3000d"}) { hour }`,
			fmt.Sprintf(`correlation(x: "%d", y: "%[1]d", step: "PT0.001S") { pairs }`, w.ours.series),
			fmt.Sprintf(`correlation(x: "%d", y: "%[1]d", step: "soon") { pairs }`, w.ours.series),
			`node(id: "` + id(w.ours.series) + `") { ... on Series { statistics(window: {}) { count } } }`,
			`node(id: "` + id(w.ours.series) + `") { ... on Series { statistics { quantile(q: 7) } } }`,
		},
		"GRAPHQL_VALIDATION_FAILED": {
			many(`window: {calendar: FORTNIGHT}`),
			`statistics(series: {}) { buckets { durationAbove(threshold: 1e999) } }`,
			many(`fill: GUESS`),
			many(`top: {k: 1, by: BEAUTY}`),
			`statistics(series: {}) { total { quantile } }`,
			`correlation(x: "1", y: "2") { pairs }`,
		},
		"NOT_FOUND": {
			fmt.Sprintf(`correlation(x: "%d", y: "%d", step: "P1D") { pairs }`, w.ours.series, w.theirs.series),
		},
		"TOO_LARGE": {
			`series(first: 1000) { edges { node { statistics { count } } } }`,
		},
		"ok": {
			many(`window: null, range: null, groupBy: null, fill: null, compareTo: null, top: null`),
			many(`window: {calendar: DAY, timeZone: null, alignment: null, weekStart: null}`),
			`series(first: 20) { edges { node { statistics(range: {from: "-7d"}, window: {calendar: HOUR}) { count mean } } } }`,
			`heatmap(series: {}, by: null, timeZone: null) { hour }`,
		},
	} {
		for _, field := range fields {
			if a := w.ask("viewer", `{ found: `+field+` }`); a.code() != want || a.Status >= 500 {
				t.Errorf("%s: got %d %.300s, want %s", field, a.Status, a.Body, want)
			}
		}
	}
	for name, query := range map[string]string{
		"Float": `query ($v: Float!) { statistics(series: {}) { total { durationAbove(threshold: $v) } } }`,
		"list":  `query ($v: [Float!]!) { statistics(series: {}) { total { quantiles(q: $v) } } }`,
		"Int":   `query ($v: Int!) { statistics(series: {}) { total { histogram(bins: $v) { count } } } }`,
	} {
		if a := w.ask("viewer", query, "v", json.RawMessage("1e400")); a.code() == ok || a.code() == "INTERNAL_SERVER_ERROR" || a.Status >= 500 {
			t.Errorf("%s: got %d %.300s, want a refusal", name, a.Status, a.Body)
		}
	}
	if log := w.log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("bad arguments are not our fault: %s", log)
	}
}

// A page of series asks the engine many times at once, more than wait for their turn there.
func TestFieldsOfOneOperationTakeTurns(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i := range 60 {
		w.put(w.newSeries("boiler", fmt.Sprint("m", i), "", nil), 0, 60, 1, 2)
	}
	a := w.ask("viewer", `{ series(first: 60, where: {metricHasPrefix: "m"}) { edges { node { statistics { count } } } } }`)
	if edges, _ := a.at("series", "edges").([]any); a.code() != ok || len(edges) != 60 {
		t.Errorf("got %s: %.300s", a.code(), a.Body)
	}
}

func TestLargestAnswerIsGiven(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for hour := range 3 {
		w.put(w.ours.series, hour*3600, 1, 1, 2, 3)
	}
	a := w.ask("viewer", `{ statistics(series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T03:03:20Z"}, window: {every: "PT1S"}, fill: LINEAR) {
		buckets { start end label count sum mean min max range first last delta rate stddev median p90: quantile(q: 0.9) p99: quantile(q: 0.99) exact filled quantiles(q: [0.1, 0.5]) } } }`)
	if buckets, _ := a.at("statistics", 0, "buckets").([]any); len(buckets) != 11_000 {
		t.Errorf("got %d buckets and %s, want 11,000", len(buckets), a.code())
	}
	a = w.ask("viewer", `{ statistics(series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T03:03:21Z"}, window: {every: "PT1S"}) { buckets { count } } }`)
	if a.code() != "BAD_USER_INPUT" || !strings.Contains(a.Body, "11,000") {
		t.Errorf("11,001 buckets: got %.300s", a.Body)
	}
}
