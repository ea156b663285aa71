package export_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// boilers has the series of three rooms.
func boilers(t *testing.T) *world {
	w := setup(t)
	seven, eight := w.device(w.project, "boiler-7"), w.device(w.project, "boiler-8")
	w.series(seven, "temperature", "Cel", map[string]string{"room": "1"}, 0, 1800, 3600)
	w.series(seven, "temperature", "Cel", map[string]string{"room": "2"}, 7200, 7210)
	w.series(eight, "temperature", "Cel", nil, 10, 20, 30, 40)
	return w
}

func TestStatisticsAreARowForEachBucket(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	for query, want := range map[string]string{
		"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&device=boiler-7&calendar=hour": `start,end,label,count,mean,min,max,exact
2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,2026-03-01T00,2,900,0,1800,true
2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,2026-03-01T01,1,3600,3600,3600,true
2026-03-01T02:00:00Z,2026-03-01T03:00:00Z,2026-03-01T02,2,7205,7200,7210,true
`,
		// No window is one bucket; no range begins with the first reading.
		"?device=boiler-8&to=2026-03-01T01:00:00Z&statistics=count,sum,p50,p75,stddev": `start,end,label,count,sum,p50,p75,stddev,exact
2026-03-01T00:00:10Z,2026-03-01T01:00:00Z,,4,100,25,32.5,12.909944487358056,true
`,
		"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&calendar=day&zone=Europe/Berlin&group_by=label:room&group_by=device&statistics=count,distinct:room": `label:room,device,start,end,label,count,distinct:room,exact
1,boiler-7,2026-02-28T23:00:00Z,2026-03-01T23:00:00Z,2026-03-01,3,1,true
2,boiler-7,2026-02-28T23:00:00Z,2026-03-01T23:00:00Z,2026-03-01,2,1,true
,boiler-8,2026-02-28T23:00:00Z,2026-03-01T23:00:00Z,2026-03-01,4,0,true
`,
		"?from=2026-03-01T00:00:00Z&to=2026-03-01T03:00:00Z&every=PT1H&device=boiler-8&fill=previous&statistics=count,mean,stddev": `start,end,label,count,mean,stddev,exact
2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,2026-03-01T00,4,25,12.909944487358056,true
2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,2026-03-01T01,0,25,12.909944487358056,true
2026-03-01T02:00:00Z,2026-03-01T03:00:00Z,2026-03-01T02,0,25,12.909944487358056,true
`,
		"?from=2026-03-01T00:30:00Z&to=2026-03-01T02:30:00Z&every=PT1H&alignment=range&device=boiler-7&fill=null&statistics=count,max,rate": `start,end,label,count,max,rate,exact
2026-03-01T00:30:00Z,2026-03-01T01:30:00Z,,2,3600,1,true
2026-03-01T01:30:00Z,2026-03-01T02:30:00Z,,2,7210,1,true
`,
		"?from=2026-03-01T01:00:00Z&to=2026-03-01T03:00:00Z&every=PT1H&group_by=metric&compare_to=PT1H&statistics=count,min": `metric,start,end,label,count,min,previous_count,previous_min,exact
temperature,2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,2026-03-01T01,1,3600,6,0,true
temperature,2026-03-01T02:00:00Z,2026-03-01T03:00:00Z,2026-03-01T02,2,7200,1,3600,true
`,
		"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&group_by=device&top=1&top_by=count&ascending=true": `device,start,end,label,count,mean,min,max,exact
boiler-8,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,,4,25,10,40,true
`,
		// Names are known in any case, and with space around them; labels and periods are not.
		"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&group_by=device&top=1&top_by=MAX&statistics=COUNT,%20Mean%20,P50,Distinct:room": `device,start,end,label,count,mean,p50,distinct:room,exact
boiler-7,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,,5,3962,3600,2,true
`,
		"?metric=pressure&group_by=device": "device,start,end,label,count,mean,min,max,exact\n",
	} {
		if got := w.get("/statistics" + query); got.status != http.StatusOK || got.body != want || got.broken != nil {
			t.Errorf("%s: %d, %v:\n%s\nwant\n%s", query, got.status, got.broken, got.body, want)
		}
	}
	h := w.get("/statistics").header
	if h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || h.Get("Content-Disposition") != "attachment; filename=statistics.csv" {
		t.Errorf("header %v", h)
	}
}

func TestStatisticsOfSeriesSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.series(w.device(w.project, "boiler"), "temperature", "Cel", map[string]string{"room": "1"}, 5)
	got := w.get("/statistics?group_by=series&group_by=device&group_by=label:room&statistics=first&format=ndjson")
	var row map[string]any
	if err := json.Unmarshal([]byte(got.body), &row); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	for name, want := range map[string]any{
		"series": jsonID(id), "device": "boiler", "metric": "temperature", "labels": `{"room":"1"}`, "label:room": "1", "label": nil, "first": 5.0, "exact": true,
	} {
		if value, there := row[name]; !there || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
	if len(row) != 10 {
		t.Errorf("%d fields in %s", len(row), got.body)
	}
}

func TestStatisticsThatAreNotKnownAreNull(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.series(w.device(w.project, "boiler"), "temperature", "", nil, 5)
	query := "/statistics?from=2026-03-01T00:00:00Z&to=2026-03-01T02:00:00Z&every=PT1H&fill=null&group_by=label:room&statistics=count,stddev,completeness:PT30M"
	want := `{"label:room":null,"start":"2026-03-01T00:00:00Z","end":"2026-03-01T01:00:00Z","label":"2026-03-01T00","count":1,"stddev":null,"completeness:PT30M":0.5,"exact":true}
{"label:room":null,"start":"2026-03-01T01:00:00Z","end":"2026-03-01T02:00:00Z","label":"2026-03-01T01","count":0,"stddev":null,"completeness:PT30M":0,"exact":true}
`
	if got := w.get(query, "Accept", "application/x-ndjson"); got.body != want {
		t.Errorf("got\n%s\nwant\n%s", got.body, want)
	}
	if got := w.get(query); !strings.HasSuffix(got.body, "\n,2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,2026-03-01T01,0,,0,true\n") {
		t.Errorf("got\n%s", got.body)
	}
}

func TestTextInStatisticsIsNoFormula(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i, name := range []string{"=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "plain=1", `=a,"b"`} {
		id := w.series(w.device(w.project, name), "temperature", "", map[string]string{"=x": "-y"})
		w.source.add(reading.Reading{Series: id, Time: march.UnixMicro(), Value: -float64(i) - 1})
	}
	got := w.get("/statistics?group_by=device&group_by=label:%3Dx&statistics=min")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%v in %s", err, got.body)
	}
	want := map[string]string{ // by device: the least value, which stays a number
		"'+1": "-2", "'-1": "-3", "'=a,\"b\"": "-6", "'=cmd|'/C calc'!A0": "-1", "'@SUM(A1)": "-4", "plain=1": "-5",
	}
	for _, row := range rows[1:] {
		if want[row[0]] != row[5] || row[1] != "'-y" {
			t.Errorf("row %q", row)
		}
		delete(want, row[0])
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestStatisticsRefuseWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	for query, want := range map[string]string{
		"?evry=PT1H":                             "400 bad_request",
		"?every=PT1H&every=PT2H":                 "400 bad_request",
		"?every=PT1H&calendar=hour":              "422 invalid",
		"?every=1h":                              "422 invalid",
		"?every=PT0S":                            "422 invalid",
		"?calendar=fortnight":                    "422 invalid",
		"?calendar=hour&zone=Mars/Olympus":       "422 invalid",
		"?calendar=hour&zone=Local":              "422 invalid",
		"?alignment=left":                        "422 invalid",
		"?week_start=someday":                    "422 invalid",
		"?fill=up":                               "422 invalid",
		"?group_by=room":                         "422 invalid",
		"?group_by=label:":                       "422 text_invalid",
		"?group_by=label:%FF":                    "422 text_invalid",
		"?group_by=label:%1F":                    "422 text_invalid",
		"?statistics=distinct:a%0Ab":             "422 text_invalid",
		"?group_by=device&group_by=device":       "422 invalid",
		"?statistics=":                           "422 invalid",
		"?statistics=count,count":                "422 invalid",
		"?statistics=p101":                       "422 invalid",
		"?statistics=median,nonsense":            "422 invalid",
		"?statistics=mean,%20MEAN":               "422 invalid",
		"?statistics=distinct":                   "422 invalid",
		"?statistics=" + thresholds(21):          "422 invalid",
		"?compare_to=yesterday":                  "422 invalid",
		"?top=5":                                 "422 invalid",
		"?top_by=count":                          "422 invalid",
		"?top=0&top_by=count":                    "422 invalid",
		"?top=1&top_by=largest":                  "422 invalid",
		"?ascending=true":                        "422 invalid",
		"?top=1&top_by=count&ascending=1":        "422 invalid",
		"?from=yesterday":                        "422 time_invalid",
		"?from=2026-03-02T00:00:00Z&to=-100000d": "422 invalid",
		"?format=xml":                            "400 bad_request",
		"?project=1":                             "404 not_found",
		"?series=1":                              "404 not_found",
		// More than 11,000 buckets are known before the first byte.
		"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&every=PT1S": "422 invalid",
	} {
		w.isProblem("/statistics"+query, want)
	}
}

// thresholds names so many statistics, each with a threshold of its own.
func thresholds(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "above:" + strconv.Itoa(i)
	}
	return strings.Join(names, ",")
}

func TestTwentyThresholdsMayBeAskedForAtOnce(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	if got := w.get("/statistics?statistics=below:1," + thresholds(20)); got.status != http.StatusOK {
		t.Errorf("%d: %s", got.status, got.body)
	}
}

func TestStatisticsOfABucketAndTheOneBeforeAreExactOnlyWhenBothAre(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	coarse := &stats.Bucket{Start: -hour, End: 0, Coarse: true, Summary: stats.Summary{Count: 1}}
	fine := &stats.Bucket{Start: 0, End: hour, Summary: stats.Summary{Count: 1}}
	for _, c := range []struct {
		now, before *stats.Bucket
		exact       string
	}{{fine, coarse, "false"}, {coarse, fine, "false"}, {fine, fine, "true"}, {fine, nil, "true"}} {
		w.engine = engineFunc(func(context.Context, analysis.Request) (*analysis.Answer, error) {
			return &analysis.Answer{
				Bounds: []int64{0, hour}, PreviousBounds: []int64{-hour, 0},
				Groups: []analysis.Group{{Buckets: []*stats.Bucket{c.now}, Previous: []*stats.Bucket{c.before}}},
			}, nil
		})
		got := w.get("/statistics?compare_to=PT1H&statistics=count")
		if !strings.HasSuffix(got.body, ","+c.exact+"\n") {
			t.Errorf("%v before %v: %s, want %s", c.before, c.now, got.body, c.exact)
		}
	}
}

const hour = int64(time.Hour / time.Microsecond)

func TestWhatTheEngineFindsWrongIsAProblemWithItsStatus(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	for want, err := range map[string]error{
		"422 invalid":     fault.New(fault.Invalid, "no"),
		"429 too_many":    fault.New(fault.TooMany, "wait").After(time.Second),
		"503 unavailable": fault.New(fault.Unavailable, "later").After(time.Second),
		"500 internal":    errSource,
	} {
		w.engine = engineFunc(func(context.Context, analysis.Request) (*analysis.Answer, error) { return nil, err })
		for _, query := range []string{"", "?format=ndjson", "?group_by=series"} {
			w.isProblem("/statistics"+query, want)
		}
		// However long the head of the table would be: longer than what is sent at once.
		w.isProblem("/statistics?compare_to=PT1H&statistics="+longNames(), want)
	}
	w.engine = nil
	w.source.broken = errSource
	w.isProblem("/statistics", "500 internal")
}

// longNames are statistics whose names are more than an answer holds back before it is sent.
func longNames() string {
	var names []string
	for i := range 40 {
		names = append(names, "quantile:0."+strings.Repeat("0", 1000)+strconv.Itoa(i))
	}
	return strings.Join(names, ",")
}

func TestStatisticsThatTakeTooLongAreGivenUp(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	w.statistics.SetLimit(50 * time.Millisecond)
	w.engine = engineFunc(func(ctx context.Context, _ analysis.Request) (*analysis.Answer, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("read: %w", ctx.Err())
	})
	got := w.isProblem("/statistics", "503 unavailable")
	if !strings.Contains(got.body, "this takes too long: ask for less at once") || got.header.Get("Retry-After") != "1" {
		t.Errorf("%s with %v", got.body, got.header)
	}
}

// isProblem asks for what cannot be had, and checks how it is refused.
func (w *world) isProblem(query, want string) answer {
	w.t.Helper()
	got := w.get(query)
	var problem struct{ Code string }
	_ = json.Unmarshal([]byte(got.body), &problem)
	text := got.statusText() + " " + problem.Code
	if text != want || got.broken != nil || got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Content-Disposition") != "" {
		w.t.Errorf("%.60s: %s, want %s: %v, %s", query, text, want, got.broken, got.body)
	}
	return got
}

func TestStatisticsHaveTheRightsOfAnExport(t *testing.T) {
	t.Parallel()
	w := boilers(t)
	foreign := w.newProject()
	w.series(w.device(foreign, "boiler-9"), "temperature", "", nil, 1)
	if got := w.get("/statistics?group_by=device"); strings.Contains(got.body, "boiler-9") || !strings.Contains(got.body, "boiler-7") {
		t.Errorf("a key of one project sees\n%s", got.body)
	}
	for _, c := range []struct {
		as   *auth.Principal
		want int
	}{
		{nil, http.StatusUnauthorized},
		{&auth.Principal{Kind: auth.ProjectKey, Project: w.project, Key: 1, Scopes: auth.Ingest}, http.StatusForbidden},
		{w.person(), http.StatusNotFound},
		{w.person(w.project, foreign), http.StatusUnprocessableEntity}, // which of the two?
		{w.person(w.project), http.StatusOK},
	} {
		w.as = c.as
		if got := w.get("/statistics"); got.status != c.want {
			t.Errorf("%+v: %d, want %d: %s", c.as, got.status, c.want, got.body)
		}
	}
}

func (a answer) statusText() string { return strconv.Itoa(a.status) }

// jsonID is an id as the API writes it.
func jsonID(id int64) string { return strconv.FormatInt(id, 10) }
