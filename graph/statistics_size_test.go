package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/reading"
)

// many makes so many series of our project, with a reading each.
func (w *world) many(n int) {
	w.t.Helper()
	ctx := auth.NewContext(w.t.Context(), auth.System())
	var made []*db.SeriesCreate
	for i := range n {
		made = append(made, w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric(fmt.Sprint("m", i)).SetLabels(map[string]string{"n": fmt.Sprint(i)}))
	}
	var rs []reading.Reading
	for i, s := range w.client.Series.CreateBulk(made...).SaveX(ctx) {
		rs = append(rs, reading.Reading{Series: s.ID, Time: base.UnixMicro(), Value: float64(i)})
	}
	if _, err := w.journal.Append(w.t.Context(), w.ours.project, rs); err != nil {
		w.t.Fatal(err)
	}
}

func TestTopRanksMoreGroupsThanAreShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.many(600)
	const day = `range: {from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z"}, window: {calendar: HOUR}, groupBy: {by: SERIES}`
	if got, want := w.found(`statistics(series: {}, `+day+`, top: {k: 2, by: MEDIAN}) { metric total { median } buckets { max } }`), "[([(599)] m599 (599)) ([(598)] m598 (598))]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a := w.ask("viewer", `{ statistics(series: {}, `+day+`) { buckets { max } } }`); a.code() != "BAD_USER_INPUT" {
		t.Errorf("all of them: got %.300s", a.Body)
	}
}

// What only the readings tell is counted when they have told it.
func TestAnswerThatTurnsOutTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.many(600)
	for hour := range 10 {
		w.put(w.ours.series, hour*86400, 1, 1, 2, 3)
	}
	refused := func(query string) {
		t.Helper()
		if a := w.ask("viewer", query); a.code() != "TOO_LARGE" || !strings.Contains(a.Body, "turn out") {
			t.Errorf("%.100s: got %s, %d bytes: %.200s", query, a.code(), len(a.Body), a.Body)
		}
	}
	refused(`{ statistics(series: {}, groupBy: {by: SERIES}) { total { histogram(bins: 1000) { from to count } } } }`)
	const minutes = `window: {every: "PT2M"}, fill: NULL`
	const ten = `range: {to: "2026-11-10T12:00:00Z"}`
	refused(`{ statistics(series: {metric: "temperature"}, ` + ten + minutes + `) { buckets { quantiles(q: [` + strings.Repeat("0.5 ", 80) + `]) } } }`)
	refused(`{ node(id: "` + id(w.ours.series) + `") { ... on Series { statistics(` + ten + minutes + `) { quantiles(q: [` + strings.Repeat("0.5 ", 80) + `]) } } } }`)
	var aliases strings.Builder
	for i := range 6 {
		fmt.Fprintf(&aliases, `a%d: statistics(series: {metric: "temperature"}, %s, %s) { buckets { a: min b: max c: sum d: mean e: first f: last g: count h: exact i: filled j: label k: start l: end m: range} } `, i, ten, minutes)
	}
	refused(`{ ` + aliases.String() + ` }`)
	if a := w.ask("viewer", `{ statistics(series: {}, groupBy: {by: SERIES}) { metric total { count mean min max p95: quantile(q: 0.95) } } }`); a.code() != ok {
		t.Errorf("600 groups: got %.300s", a.Body)
	}
}

// Quantiles come from values that are held until all of the answer is written.
func TestQuantilesCountTheirValues(t *testing.T) {
	t.Parallel()
	w := setup(t)
	values := make([]float64, 10_000)
	for i := range values {
		values[i] = float64(i)
	}
	for part := range 10 {
		w.put(w.ours.series, part*10_000, 1, values...)
	}
	fields := func(n int, statistic string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `a%d: statistics(series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-03T00:00:00Z"}, window: {every: "PT30M"}) { total { %s } buckets { %s } } `, i, statistic, statistic)
		}
		return `{ ` + b.String() + ` }`
	}
	for n, want := range map[int]string{3: ok, 45: "TOO_LARGE"} {
		if a := w.ask("viewer", fields(n, "median")); a.code() != want {
			t.Errorf("%d fields: got %.300s, want %s", n, a.Body, want)
		}
	}
	if a := w.ask("viewer", fields(45, "mean")); a.code() != ok {
		t.Errorf("45 fields without quantiles: got %.300s", a.Body)
	}
}

func TestEventCountsTheStatisticsOfItsReadings(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for query, want := range map[string]string{
		`subscription { readings(series: {}) { readings { series { statistics(window: {every: "PT1S"}, fill: NULL) { count } } } } }`:                                        "TOO_LARGE",
		`{ series(first: 50) { edges { node { metric statistics(range: {from: "-7d"}, window: {calendar: HOUR}) { start count mean min max p95: quantile(q: 0.95) } } } } }`: ok,
	} {
		if a := w.ask("viewer", query); a.code() != want {
			t.Errorf("%s: got %.300s, want %s", query, a.Body, want)
		}
	}
}

func TestRegularExpressionsAreFew(t *testing.T) {
	t.Parallel()
	w := setup(t)
	filter := func(n int) string {
		return strings.Repeat(`{labelled: {label: "room", matches: "hall-\\d+"}} `, n)
	}
	for query, want := range map[string]string{
		`{ series(where: {or: [` + filter(8) + `]}) { totalCount } }`:                                                               ok,
		`{ series(where: {or: [` + filter(9) + `]}) { totalCount } }`:                                                               "TOO_LARGE",
		`{ a: series(where: {or: [` + filter(5) + `]}) { totalCount } b: series(where: {or: [` + filter(5) + `]}) { totalCount } }`: "TOO_LARGE",
		`{ ...F ...F } fragment F on Query { a: series(where: {or: [` + filter(5) + `]}) { totalCount } }`:                          "TOO_LARGE",
		`{ series(where: {labelled: {label: "room", matches: "((0|1)?){0,130}x"}}) { totalCount } }`:                                "BAD_USER_INPUT",
		`{ series(where: {labelled: [` + strings.Repeat(`{label: "room", prefix: "a"} `, 20) + `]}) { totalCount } }`:               ok,
	} {
		if a := w.ask("viewer", query); a.code() != want {
			t.Errorf("%.100s: got %.300s, want %s", query, a.Body, want)
		}
	}
}

// All relative times of an operation are relative to one moment, and its statistics end there.
func TestSevenTimesTheLastDayAreSevenBuckets(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, in := range []string{`{from: "-7d"}`, `{from: "-7d", to: "now"}`} {
		a := w.ask("viewer", `{ statistics(series: {}, range: `+in+`, window: {every: "P1D", alignment: RANGE}, fill: NULL) { buckets { start end } } }`)
		if buckets, _ := a.at("statistics", 0, "buckets").([]any); len(buckets) != 7 {
			t.Errorf("%s: got %d buckets: %s", in, len(buckets), a.Body)
		}
	}
	a := w.ask("viewer", `query ($r: TimeRange) { statistics(series: {}, range: $r, window: {every: "PT1M", alignment: RANGE}, fill: NULL) { buckets { start end } } }`,
		"r", map[string]any{"from": "-10m"})
	if buckets, _ := a.at("statistics", 0, "buckets").([]any); len(buckets) != 10 {
		t.Errorf("by a variable: got %d buckets: %s", len(buckets), a.Body)
	}
}

func TestHeatmapByDayIsOfAYear(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, -500*86400, 500*86400, 1, 2)
	a := w.ask("viewer", `{ heatmap(series: {}, by: DAY) { hour } }`)
	if a.code() != "BAD_USER_INPUT" || !strings.Contains(a.Body, "450 days") {
		t.Errorf("500 days: got %.300s", a.Body)
	}
	for _, in := range []string{`{from: "+1d"}`, `{from: "-1d"}`} {
		if got := w.found(`heatmap(series: {}, by: DAY, range: ` + in + `) { hour }`); got != "[]" {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

// How long a stretch takes is no business of the client: a field has one explanation.
func TestEachFieldIsExplainedOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.put(w.ours.series, -1000*86400, 500*86400, 1, 2, 3)
	other := w.newSeries("boiler", "humidity", "%", nil)
	query := fmt.Sprintf(`{ map: heatmap(series: {}) { hour } none: statistics(series: {metric: "humidity"}) { total { count } }
		pair: correlation(x: "%d", y: "%d", step: "PT12H") { pairs } }`, w.ours.series, other)
	a := w.post("viewer", map[string]any{"query": query, "extensions": map[string]any{"explain": true}})
	for _, want := range []string{`"path":["map"],"resolution":"RAW","sources":["TAIL"],"readings":3`, `"path":["pair"],"resolution":"RAW","sources":["TAIL"],"readings":3`, `"path":["none"],"resolution":"RAW","sources":[],"readings":0`} {
		if strings.Count(a.Body, want) != 1 {
			t.Errorf("got %s, want %s once", a.Body, want)
		}
	}
	if n := strings.Count(a.Body, `"path"`); n != 3 {
		t.Errorf("%d explanations: %s", n, a.Body)
	}
}

func TestMonthCorrelatesByTheMinute(t *testing.T) {
	t.Parallel()
	w := setup(t)
	f := func(arguments, want string) {
		t.Helper()
		a := w.ask("viewer", fmt.Sprintf(`{ correlation(x: "%d", y: "%[1]d", %s) { pairs } }`, w.ours.series, arguments))
		if a.code() != want || want != ok && !strings.Contains(a.Body, "longer step") {
			t.Errorf("%s: got %.300s", arguments, a.Body)
		}
	}
	f(`range: {from: "-30d"}, window: {calendar: DAY}, step: "PT1M"`, ok)
	f(`range: {from: "-30d"}, window: {calendar: DAY}, step: "PT1S"`, "BAD_USER_INPUT")
}

func TestSameGroupKeyTwiceIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for keys, want := range map[string]string{
		`{by: DEVICE} {by: METRIC} {by: DEVICE}`:                       "BAD_USER_INPUT",
		`{by: LABEL, label: "a"} {by: LABEL, label: "a"}`:              "BAD_USER_INPUT",
		`{by: LABEL, label: "a"} {by: LABEL, label: "b"} {by: DEVICE}`: ok,
	} {
		if a := w.ask("viewer", `{ statistics(series: {}, groupBy: [`+keys+`]) { series } }`); a.code() != want {
			t.Errorf("%s: got %.300s, want %s", keys, a.Body, want)
		}
	}
}
