package export_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/reading"
)

func TestExportIsCSVWithAllThatIsKnownOfAReading(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boiler := w.device(w.project, "boiler-7")
	odd := w.device(w.project, `comma, and "quote"`)
	w.series(boiler, "temperature", "Cel", map[string]string{"room": `2"`, "floor": "1"}, 10, 20.5, 21.000001)
	w.series(odd, "level", "", nil, 3)
	got := w.get("")
	want := `device,metric,labels,unit,time,value
boiler-7,temperature,"{""floor"":""1"",""room"":""2\""""}",Cel,2026-03-01T00:00:10Z,10
boiler-7,temperature,"{""floor"":""1"",""room"":""2\""""}",Cel,2026-03-01T00:00:20.5Z,20.5
boiler-7,temperature,"{""floor"":""1"",""room"":""2\""""}",Cel,2026-03-01T00:00:21.000001Z,21.000001
"comma, and ""quote""",level,{},,2026-03-01T00:00:03Z,3
`
	if got.status != http.StatusOK || got.body != want || got.broken != nil {
		t.Errorf("%d, %v:\n%s\nwant\n%s", got.status, got.broken, got.body, want)
	}
	if h := got.header; h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || h.Get("Content-Disposition") != "attachment; filename=readings.csv" ||
		h.Get("Cache-Control") != "no-store" || h.Get("Content-Encoding") != "" {
		t.Errorf("header %v", h)
	}
	if rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll(); err != nil || len(rows) != 5 || rows[4][0] != `comma, and "quote"` {
		t.Errorf("as CSV: %v, %v", rows, err)
	}
}

func TestExportedLinesAreTakenByIngestAsTheyAre(t *testing.T) {
	t.Parallel()
	w := setup(t)
	d := w.device(w.project, `boiler "7" <a&b\>`)
	id := w.series(d, "temperature", "Cel", map[string]string{"room": "2", "a": `\"`})
	plain := w.series(d, "zero", "", nil)
	want := []float64{0, math.Copysign(0, -1), 1e6, 1e20, 1e21, 1e-6, 1e-7, -273.15, math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1 + 0.2}
	for i, v := range want {
		w.source.add(reading.Reading{Series: id, Time: march.UnixMicro() + int64(i)*1001, Value: v})
	}
	w.source.add(reading.Reading{Series: plain, Time: 0, Value: 1})
	got := w.get("?format=ndjson")
	if got.header.Get("Content-Type") != "application/x-ndjson" || strings.Count(got.body, "\n") != len(want)+1 {
		t.Fatalf("%v\n%s", got.header, got.body)
	}
	batch, err := new(ingest.Decoder).Decode([]byte(got.body), ingest.Options{Now: time.Now().UnixMicro(), Max: ingest.MaxReadings})
	if err != nil {
		t.Fatalf("%v\n%s", err, got.body)
	}
	if s := batch.Series; len(s) != 2 || s[0] != (reading.Series{Device: `boiler "7" <a&b\>`, Metric: "temperature", Unit: "Cel", Labels: `{"a":"\\\"","room":"2"}`}) {
		t.Errorf("series %+v", s)
	}
	for i, v := range want {
		if r := batch.Readings[i]; r.Time != march.UnixMicro()+int64(i)*1001 || math.Float64bits(r.Value) != math.Float64bits(v) {
			t.Errorf("reading %d came back as %+v, want %v", i, r, v)
		}
	}
	if r := batch.Readings[len(want)]; r.Time != 0 || r.Value != 1 {
		t.Errorf("the reading of 1970 came back as %+v", r)
	}
}

func TestExportHasWhatTheQueryNamesAndNoMore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	one, two := w.device(w.project, "one"), w.device(w.project, "two")
	first := w.series(one, "temperature", "", nil, 1, 2, 3)
	w.series(one, "humidity", "", nil, 4)
	w.series(two, "temperature", "", nil, 5)
	foreign := w.series(w.device(w.newProject(), "one"), "temperature", "", nil, 9)
	f := func(query, want string) {
		t.Helper()
		var values []string
		got := w.get(query)
		for _, line := range strings.Split(strings.TrimSpace(got.body), "\n")[1:] {
			values = append(values, line[strings.LastIndexByte(line, ',')+1:])
		}
		if text := strings.Join(values, " "); got.status != http.StatusOK || text != want {
			t.Errorf("%s: %d %q, want %q", query, got.status, text, want)
		}
	}
	f("", "4 1 2 3 5")
	f("?metric=temperature", "1 2 3 5")
	f("?device=one", "4 1 2 3")
	f("?device=one&metric=temperature", "1 2 3")
	f("?device=one&device=two&metric=humidity", "4")
	f(fmt.Sprintf("?series=%d", first), "1 2 3")
	f("?device=three", "")
	f("?from=2026-03-01T00:00:02Z", "4 2 3 5")
	f("?to=2026-03-01T00:00:02Z", "1")
	f("?from=2026-03-01T00:00:02Z&to=2026-03-01T00:00:03Z", "2")
	f("?from=2026-03-01T01:00:02+01:00&to=2026-03-01T00:00:03.000001Z", "2 3")
	f("?to=-24h", "4 1 2 3 5")
	f(fmt.Sprintf("?project=%d", w.project), "4 1 2 3 5")

	refused := func(query string, status int, code string) {
		t.Helper()
		if got := w.get(query); got.status != status || !strings.Contains(got.body, `"code":"`+code+`"`) || got.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %s, want %d %s", query, got.status, got.body, status, code)
		}
	}
	refused(fmt.Sprintf("?series=%d", foreign), 404, "not_found")
	refused(fmt.Sprintf("?series=%d&series=%d", first, foreign), 404, "not_found")
	refused("?series=x", 404, "not_found")
	refused(fmt.Sprintf("?project=%d", w.project+1), 404, "not_found")
	refused("?form=2026-03-01T00:00:02Z", 400, "bad_request")
	refused("?from=yesterday", 422, "time_invalid")
	refused("?from=2026-03-01T00:00:02Z&from=now", 400, "bad_request")
	refused("?from=now&to=-1h", 422, "invalid")
	refused("?format=xml", 400, "bad_request")
	refused("?metric=%zz", 400, "bad_request")
}

func TestExportIsForThoseWhoMayRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	d := w.device(w.project, "mine")
	mine := w.series(d, "temperature", "", nil, 1)
	others := w.series(w.device(w.project, "another"), "temperature", "", nil, 2)
	other := w.newProject()
	f := func(who string, as *auth.Principal, query string, status int, lines int) {
		t.Helper()
		w.as = as
		if got := w.get(query); got.status != status || status == 200 && strings.Count(got.body, "\n") != lines+1 {
			t.Errorf("%s: %d %s", who, got.status, got.body)
		}
	}
	f("nobody", nil, "", 401, 0)
	f("a key that only sends", &auth.Principal{Kind: auth.ProjectKey, Project: w.project, Scopes: auth.Ingest}, "", 403, 0)
	f("a key of another project", &auth.Principal{Kind: auth.ProjectKey, Project: other, Scopes: auth.Read}, "", 200, 0)
	f("a key of another project that names this one", &auth.Principal{Kind: auth.ProjectKey, Project: other, Scopes: auth.Read}, fmt.Sprintf("?project=%d", w.project), 404, 0)
	device := &auth.Principal{Kind: auth.DeviceKey, Project: w.project, Device: d.ID, Scopes: auth.Read}
	f("a device", device, "", 200, 1)
	f("a device, of another", device, fmt.Sprintf("?series=%d", others), 404, 0)
	f("a person without a project", w.person(), "", 404, 0)
	f("a person with one", w.person(w.project), "", 200, 2)
	several := w.person(w.project, other)
	f("a person with several", several, "", 422, 0)
	f("who names one", several, fmt.Sprintf("?project=%d", w.project), 200, 2)
	f("or a series", several, fmt.Sprintf("?series=%d", mine), 200, 1)
	f("or a series of the other", several, fmt.Sprintf("?series=%d&project=%d", mine, other), 422, 0)
}

func TestExportHasTheFormThatTheClientAccepts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.series(w.device(w.project, "d"), "m", "", nil, 1)
	f := func(query, accept, want string) {
		t.Helper()
		got := w.get(query, "Accept", accept)
		if media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); media != want {
			t.Errorf("%s %s: %d %s", query, accept, got.status, media)
		}
	}
	f("", "*/*", "text/csv")
	f("", "application/x-ndjson", "application/x-ndjson")
	f("", "application/ndjson, text/csv;q=0.5", "application/x-ndjson")
	f("", "application/x-ndjson;q=0.1, text/*", "text/csv")
	f("?format=csv", "application/x-ndjson", "text/csv")
	f("?format=ndjson", "text/html", "application/x-ndjson")
	f("", "text/html", "application/problem+json")
	f("", "text/csv;q=0", "application/problem+json")
}

func TestExportIsCompressedForThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seconds := make([]float64, 20_000)
	for i := range seconds {
		seconds[i] = float64(i)
	}
	w.series(w.device(w.project, "d"), "m", "", nil, seconds...)
	plain, zipped := w.get("", "Accept-Encoding", "br, gzip;q=0"), w.get("", "Accept-Encoding", "deflate, gzip")
	if plain.header.Get("Content-Encoding") != "" || zipped.header.Get("Content-Encoding") != "gzip" || plain.body != zipped.body ||
		strings.Count(plain.body, "\n") != 20_001 || zipped.broken != nil {
		t.Errorf("%v %v, %d and %d bytes", plain.header, zipped.header, len(plain.body), len(zipped.body))
	}
}

func TestExportOfManySeriesHasEachReadingOnceInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const devices, slow = 250, 1500 // more than a page
	made := w.client.Device.MapCreateBulk(make([]struct{}, devices), func(c *db.DeviceCreate, i int) {
		c.SetProjectID(w.project).SetName(fmt.Sprintf("d%03d", i))
	}).SaveX(w.ctx)
	var want []string
	series := w.client.Series.MapCreateBulk(make([]struct{}, slow), func(c *db.SeriesCreate, i int) {
		c.SetProjectID(w.project).SetDevice(made[i*devices/slow]).SetMetric(fmt.Sprintf("m%04d", i))
	}).SaveX(w.ctx)
	for i, s := range series {
		n := 2
		if i%1000 == 700 {
			n = 250_000 // more than one stretch
		}
		for k := range n {
			w.source.add(reading.Reading{Series: s.ID, Time: march.UnixMicro() + int64(k), Value: float64(k)})
			want = append(want, fmt.Sprintf("m%04d %d", i, k))
		}
	}
	got := w.get("")
	lines := strings.Split(strings.TrimSpace(got.body), "\n")[1:]
	for i, line := range lines {
		f := strings.Split(line, ",")
		lines[i] = f[1] + " " + f[5]
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%d lines, want %d", len(lines), len(want))
	}
	if w.source.calls > 120 {
		t.Errorf("%d calls for %d series", w.source.calls, slow)
	}
}

func TestExportThatBreaksOffIsNoWholeAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seconds := make([]float64, 250_000)
	for i := range seconds {
		seconds[i] = float64(i)
	}
	w.series(w.device(w.project, "d"), "m", "", nil, seconds...)
	w.source.fail = 1
	for _, encoding := range []string{"identity", "gzip"} {
		w.source.calls = 0
		if got := w.get("?from=2026-03-01T00:00:00Z", "Accept-Encoding", encoding); got.status != 200 || got.broken == nil || len(got.body) == 0 {
			t.Errorf("%s: %d, %d bytes, then %v", encoding, got.status, len(got.body), got.broken)
		}
	}
}

func TestExportThatCannotBeginIsAProblem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.series(w.device(w.project, "d"), "m", "", nil, 1)
	w.source.fail = 1
	got := w.get("", "Accept-Encoding", "gzip")
	if got.status != 500 || !strings.Contains(got.body, `"code":"internal"`) || got.header.Get("Content-Encoding") != "" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
}
