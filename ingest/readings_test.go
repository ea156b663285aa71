package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// door is a running POST /v1/readings on a database of its own.
type door struct {
	t       *testing.T
	url     string
	pool    *pgxpool.Pool
	client  *db.Client
	tail    *tail.Tail
	project int64
	keys    map[string]string // device (of boiler), project, closed (of a project that makes no devices), reader

	mu    sync.Mutex
	heard []entity.Change // told by the registry
}

func (d *door) tell(changes ...entity.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, changes...)
}

func setup(t *testing.T) *door {
	t.Helper()
	pool := testdb.New(t)
	if err := store.MakePartitions(t.Context(), pool, 1); err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, pool: pool, client: store.Client(pool), tail: tail.New(), keys: map[string]string{}}
	t.Cleanup(func() { _ = d.client.Close() })
	j := journal.New(pool, journal.NewFollower(pool, d.tail), d.tail.LatestTime, journal.Config{})
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = j.Run(running) }()

	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	authenticator := auth.NewAuthenticator(d.client, tokens)
	readings := ingest.NewReadings(ingest.NewRegistry(pool, d.tell), j, ingest.NewMetrics(prometheus.NewRegistry()), ingest.Limits{})
	srv := httptest.NewServer(problem.Handler(slog.New(slog.DiscardHandler), func(w http.ResponseWriter, r *http.Request) error {
		ctx, err := authenticator.Request(r)
		if err != nil {
			return err
		}
		return readings.Serve(w, r.WithContext(ctx))
	}))
	d.url = srv.URL
	t.Cleanup(func() { srv.Close(); stop(); <-done })
	d.populate()
	return d
}

func (d *door) populate() {
	ctx := auth.NewContext(d.t.Context(), auth.System())
	p := d.client.Project.Create().SetName("open").SaveX(ctx)
	closed := d.client.Project.Create().SetName("closed").SetAutoCreateDevices(false).SaveX(ctx)
	boiler := d.client.Device.Create().SetProject(p).SetName("boiler").SaveX(ctx)
	d.project = p.ID
	for name, spec := range map[string]auth.KeySpec{
		"device":  {Project: p.ID, Device: &boiler.ID, Scopes: auth.Ingest},
		"project": {Project: p.ID, Scopes: auth.Ingest},
		"reader":  {Project: p.ID, Scopes: auth.Read},
		"closed":  {Project: closed.ID, Scopes: auth.Ingest},
	} {
		_, secret, err := auth.CreateKey(ctx, d.client, spec)
		if err != nil {
			d.t.Fatal(err)
		}
		d.keys[name] = secret
	}
}

// reply is what the door answered.
type reply struct {
	status                  int
	header                  http.Header
	Accepted, Late, Refused int
	Offset                  int64
	Code                    string
	Index                   *int
	Errors                  []struct {
		Index int
		Code  string
	}
	body string
}

// send posts a body with a key; header pairs follow.
func (d *door) send(key, path, body string, header ...string) reply {
	d.t.Helper()
	req, _ := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(body))
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+d.keys[key])
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Error(err)
		return reply{}
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if err := json.Unmarshal(text, &r); err != nil {
		d.t.Errorf("%v in %s", err, text)
	}
	return r
}

// stored is how many readings the journal holds.
func (d *door) stored() (n int) {
	if err := d.pool.QueryRow(d.t.Context(), `select coalesce(sum(count), 0) from journal`).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

func TestAcknowledgedReadingsAreStored(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.send("device", "", `{"time": "2026-11-01T00:00:00Z", "values": {"temperature": 21.5, "humidity": 40}}`)
	if r.status != 200 || r.Accepted != 2 || r.Late != 0 || r.Offset != 1 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	r = d.send("project", "?precision=s", `[{"device": "boiler", "metric": "temperature", "times": [1793491201, 1793491200], "values": [22, 21], "unit": "Cel"},
		{"device": "new", "metric": "temperature", "value": 1, "labels": {"room": "2"}}]`)
	if r.status != 200 || r.Accepted != 3 || r.Late != 1 || r.Offset != 2 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	ctx := auth.NewContext(t.Context(), auth.System())
	s := d.client.Series.Query().AllX(ctx)
	if len(s) != 3 {
		t.Fatalf("got series %v", s)
	}
	for _, s := range s {
		newest, _ := d.tail.Latest(d.project, s.ID)
		if s.Metric == "temperature" && len(s.Labels) == 0 && (newest.Value != 22 || s.Unit != "Cel") {
			t.Errorf("got %v %v", s, newest)
		}
		if len(s.Labels) > 0 && time.Since(time.UnixMicro(newest.Time)) > time.Minute {
			t.Errorf("a reading without a time: got %v, want the time of arrival", time.UnixMicro(newest.Time))
		}
	}
}

func TestRefusedBatchStoresNothing(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.send("project", "", `{"device": "boiler", "metric": "t", "value": 1, "unit": "Cel"}`)
	before := d.stored()
	good := `{"device": "boiler", "metric": "t", "value": 1}`
	for name, c := range map[string]struct {
		key, path, body string
		status          int
		code            string
	}{
		"no key":                       {"", "", good, 401, "unauthenticated"},
		"scope read":                   {"reader", "", good, 403, "forbidden"},
		"another device":               {"device", "", `{"device": "pump", "metric": "t", "value": 1}`, 403, "forbidden"},
		"unknown device":               {"closed", "", good, 404, "unknown_device"},
		"another unit":                 {"project", "", `{"device": "boiler", "metric": "t", "value": 1, "unit": "K"}`, 422, "unit_mismatch"},
		"empty":                        {"project", "", " ", 400, "empty_body"},
		"one bad of two":               {"project", "", `[` + good + `, {"device": "boiler", "metric": "t", "value": "1"}]`, 422, "value_type"},
		"unknown precision":            {"project", "?precision=m", good, 400, "bad_request"},
		"misspelt option":              {"project", "?presision=s", good, 400, "bad_request"},
		"an option twice":              {"project", "?precision=s&precision=ms", good, 400, "bad_request"},
		"too many readings":            {"project", "", `{"device": "boiler", "metric": "t", "times": [` + strings.Repeat("1,", ingest.MaxReadings) + `1], "values": [` + strings.Repeat("1,", ingest.MaxReadings) + `1]}`, 413, "too_large"},
		"no device with project's key": {"project", "", `{"metric": "t", "value": 1}`, 422, "missing_field"},
	} {
		t.Run(name, func(t *testing.T) {
			r := d.send(c.key, c.path, c.body)
			if r.status != c.status || r.Code != c.code || len(r.body) > 1024 {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, c.status, c.code)
			}
		})
	}
	for name, c := range map[string]struct{ key, bad string }{
		"value":          {"project", `{"device": "boiler", "metric": "t", "value": "1"}`},
		"known unit":     {"project", `{"device": "boiler", "metric": "t", "value": 1, "unit": "K"}`},
		"unit of a body": {"project", `{"device": "boiler", "metric": "new", "value": 1, "unit": "K"}, {"device": "boiler", "metric": "new", "value": 1, "unit": "Cel"}`},
		"unknown device": {"closed", `{"device": "pump", "metric": "t", "value": 1}`},
	} {
		first, want := good, 1
		if c.key == "closed" {
			first, want = `{"device": "tank", "metric": "t", "value": 1}`, 0
		}
		r := d.send(c.key, "", `[`+first+`, `+c.bad+`]`)
		if name == "unit of a body" {
			want = 2
		}
		if r.Index == nil || *r.Index != want {
			t.Errorf("%s: got %s, want index %d", name, r.body, want)
		}
	}
	if got := d.stored(); got != before {
		t.Errorf("stored %d readings of refused batches", got-before)
	}
}

func TestPartialGivesEachItemItsOutcome(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.send("project", "?partial=true", `{"device": "boiler", "metric": "t", "value": 1}
{"device": "boiler", "metric": "t", "vlaue": 1}
{"device": "boiler", "metric": "h", "value": 1}`)
	if r.status != 200 || r.Accepted != 2 || r.Refused != 1 || len(r.Errors) != 1 || r.Errors[0].Index != 1 || r.Errors[0].Code != "unknown_field" {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestBodiesAreDecompressedWithinBounds(t *testing.T) {
	t.Parallel()
	d := setup(t)
	good := `{"values": {"t": 1}}`
	zipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return b.String()
	}
	z, _ := zstd.NewWriter(nil)
	bomb := strings.Repeat(" ", ingest.MaxBody) + good
	for name, c := range map[string]struct {
		body, encoding string
		status         int
	}{
		"plain":          {good, "", 200},
		"identity":       {good, "identity", 200},
		"gzip":           {zipped(good), "gzip", 200},
		"zstd":           {string(z.EncodeAll([]byte(good), nil)), "zstd", 200},
		"gzip bomb":      {zipped(bomb), "gzip", 413},
		"zstd bomb":      {string(z.EncodeAll([]byte(bomb), nil)), "zstd", 413},
		"long":           {bomb, "", 413},
		"cut gzip":       {zipped(good)[:20], "gzip", 400},
		"cut zstd":       {string(z.EncodeAll([]byte(good), nil))[:10], "zstd", 400},
		"gzip of gzip":   {zipped(zipped(good)), "gzip", 400},
		"not gzip":       {good, "gzip", 400},
		"br":             {good, "br", 415},
		"two encodings":  {zipped(good), "gzip, gzip", 415},
		"empty encoding": {good, "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			if r := d.send("device", "", c.body, "Content-Encoding", c.encoding); r.status != c.status {
				t.Errorf("got %d %s, want %d", r.status, r.body, c.status)
			}
		})
	}
	if r := d.send("device", "", good, "Content-Type", "text/csv"); r.status != 415 {
		t.Errorf("text/csv: got %d", r.status)
	}
	if r := d.send("device", "", good, "Authorization", "Bearer x"); r.status != 400 {
		t.Errorf("two credentials: got %d", r.status)
	}
}

// Many senders name the same new devices and series at once: each exists once, and nobody is refused.
func TestNewSeriesAreMadeOnce(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var senders sync.WaitGroup
	for i := range 16 {
		senders.Go(func() {
			var items []string
			for j := range 20 {
				n := (i*7 + j) % 20 // each in an order of its own
				items = append(items, fmt.Sprintf(`{"device": "d%d", "values": {"a": 1, "b": 2}}`, n))
			}
			if r := d.send("project", "", "["+strings.Join(items, ",")+"]"); r.status != 200 || r.Accepted != 40 {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
	senders.Wait()
	ctx := auth.NewContext(t.Context(), auth.System())
	if devices, series := d.client.Device.Query().CountX(ctx), d.client.Series.Query().CountX(ctx); devices != 21 || series != 40 {
		t.Errorf("got %d devices and %d series, want 21 and 40", devices, series)
	}
}

func TestRevokedKeyIsRefusedWithinASecond(t *testing.T) {
	t.Parallel()
	d := setup(t)
	good := `{"values": {"t": 1}}`
	if r := d.send("device", "", good); r.status != 200 {
		t.Fatal(r.body)
	}
	d.client.Key.Delete().ExecX(auth.NewContext(t.Context(), auth.System()))
	for start := time.Now(); ; {
		if r := d.send("device", "", good); r.status == 401 {
			return
		}
		if time.Since(start) > 1500*time.Millisecond {
			t.Fatal("a revoked key still works")
		}
	}
}

func TestNowIsATimeInEveryPrecision(t *testing.T) {
	t.Parallel()
	d := setup(t)
	now := time.Now()
	for precision, n := range map[string]int64{"s": now.Unix(), "ms": now.UnixMilli(), "us": now.UnixMicro(), "ns": now.UnixNano()} {
		body := fmt.Sprintf(`{"metric": %q, "value": 1, "time": %d}`, precision, n)
		if r := d.send("device", "?precision="+precision, body); r.status != 200 {
			t.Errorf("%s: got %d %s", precision, r.status, r.body)
		}
	}
	for _, n := range []string{"9223372036854775807", "9223372036854775808", "9999999999999999999", "18446744073709551617", "99999999999999999999999"} {
		if r := d.send("device", "?precision=ns", `{"metric": "m", "value": 1, "time": `+n+`}`); r.Code != "time_invalid" {
			t.Errorf("%s ns: got %s", n, r.body)
		}
	}
}
