package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/hook"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// world is a running API with two projects that know nothing of each other.
type world struct {
	t       *testing.T
	url     string
	pool    *pgxpool.Pool
	client  *db.Client
	journal *journal.Journal
	tokens  *auth.Tokens
	changed *noted
	log     *buffer
	graph   *graph.Resolver

	entities *entity.Bus

	ours, theirs place
	who          map[string]string // credentials by role
	users, keys  map[string]int64
}

// place is a project with one device, one series and one key.
type place struct {
	project, device, series, key, member int64
}

// noted remembers what it was told to forget.
type noted struct {
	pool    *pgxpool.Pool
	mu      sync.Mutex
	series  []int64
	project []int64
}

func (n *noted) SeriesChanged(_ int64, deleted []int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.series = append(n.series, deleted...)
}

func (n *noted) EmptyProject(ctx context.Context, project int64) error {
	return store.EmptyProject(ctx, n.pool, project)
}

func (n *noted) ProjectDeleted(project int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.project = append(n.project, project)
}

// buffer is a log that tests read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// setup starts the API on a database of its own. Roles: owner, editor, viewer, deviceKey, projectKey (ingest and read),
// adminKey, ingestKey (ingest alone) of our project; stranger owns theirs; nobody has no credential.
func setup(t *testing.T) *world {
	t.Helper()
	pool := testdb.New(t)
	if err := store.MakePartitions(t.Context(), pool, 1); err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, pool: pool, client: store.Client(pool), tokens: tokens, changed: &noted{pool: pool}, log: &buffer{}, entities: new(entity.Bus),
		who: map[string]string{"nobody": ""}, users: map[string]int64{}, keys: map[string]int64{},
	}
	t.Cleanup(func() { _ = w.client.Close() })
	hook.Tell(w.client, w.entities.Publish)
	w.serve()
	w.populate()
	return w
}

func (w *world) serve() {
	w.serveWith(func(past *history.Reader) *analysis.Engine { return analysis.New(past, analysis.Config{}) })
}

// serveWith starts the API over an engine of statistics.
func (w *world) serveWith(engine func(*history.Reader) *analysis.Engine) {
	held := tail.New()
	hub := live.New(journal.NewReader(w.pool), live.Config{})
	follower := journal.NewFollower(w.pool, held, hub)
	written := journal.New(w.pool, follower, held.LatestTime, journal.Config{})
	w.journal = written
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = written.Run(ctx) }()
	past := history.New(w.pool, held, follower, history.Config{MaxReadings: 100_000})
	w.graph = &graph.Resolver{
		Client: w.client, Auth: auth.NewAuthenticator(w.client, w.tokens), Hub: hub, Journal: follower, Deletions: w.journal,
		History: past, Analysis: engine(past), Changes: w.changed, Entities: w.entities, Cursors: graph.NewCursors([]byte("test")), Log: slog.New(slog.NewJSONHandler(w.log, nil)), Transactions: store.EntityConnections(w.pool) / 2,
	}
	handler := graph.NewHandler(w.graph, transport.Hooks{})
	srv := httptest.NewServer(handler)
	w.url = srv.URL
	w.t.Cleanup(func() {
		_ = handler.Shutdown(context.Background())
		srv.Close()
		cancel()
		<-done
	})
}

func (w *world) populate() {
	ctx := auth.NewContext(w.t.Context(), auth.System())
	w.ours = w.place(ctx, "owner")
	w.theirs = w.place(ctx, "stranger")
	for name, role := range map[string]member.Role{"editor": member.RoleEDITOR, "viewer": member.RoleVIEWER} {
		m := w.client.Member.Create().SetProjectID(w.ours.project).SetUserID(w.user(ctx, name)).SetRole(role).SaveX(ctx)
		if name == "viewer" {
			w.ours.member = m.ID
		}
	}
	w.key("deviceKey", auth.KeySpec{Device: &w.ours.device, Scopes: auth.Ingest | auth.Read})
	w.key("projectKey", auth.KeySpec{Scopes: auth.Ingest | auth.Read})
	w.key("ingestKey", auth.KeySpec{Scopes: auth.Ingest})
	w.key("adminKey", auth.KeySpec{Scopes: auth.Read | auth.Admin})
}

func (w *world) user(ctx context.Context, name string) int64 {
	u := w.client.User.Create().SetEmail(name + "@example.org").SetName(name).SetPassword("-").SetVerifiedAt(base).SaveX(ctx)
	token, _, err := w.tokens.Issue(u.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	w.who[name], w.users[name] = token, u.ID
	return u.ID
}

func (w *world) place(ctx context.Context, owner string) (p place) {
	made := w.client.Project.Create().SetName("of " + owner).SaveX(ctx)
	p.project = made.ID
	p.member = w.client.Member.Create().SetProject(made).SetUserID(w.user(ctx, owner)).SetRole(member.RoleOWNER).SaveX(ctx).ID
	p.device = w.client.Device.Create().SetProject(made).SetName("boiler").SaveX(ctx).ID
	p.series = w.client.Series.Create().SetProject(made).SetDeviceID(p.device).SetMetric("temperature").SetUnit("Cel").SaveX(ctx).ID
	k, _, err := auth.CreateKey(ctx, w.client, auth.KeySpec{Project: p.project, Name: "old", Scopes: auth.Read})
	if err != nil {
		w.t.Fatal(err)
	}
	p.key = k.ID
	return p
}

func (w *world) key(name string, spec auth.KeySpec) {
	ctx := auth.NewContext(w.t.Context(), auth.System())
	spec.Project, spec.Name = w.ours.project, name
	k, secret, err := auth.CreateKey(ctx, w.client, spec)
	if err != nil {
		w.t.Fatal(err)
	}
	w.who[name], w.keys[name] = secret, k.ID
}

// send appends readings of our series: times in seconds after base, the value is the time.
func (w *world) send(series int64, seconds ...int) journal.Ack {
	w.t.Helper()
	project := w.ours.project
	if series == w.theirs.series {
		project = w.theirs.project
	}
	var rs []reading.Reading
	for _, s := range seconds {
		rs = append(rs, reading.Reading{Series: series, Time: base.Add(time.Duration(s) * time.Second).UnixMicro(), Value: float64(s)})
	}
	ack, err := w.journal.Append(w.t.Context(), project, rs)
	if err != nil {
		w.t.Fatal(err)
	}
	return ack
}

var base = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// answer is what GraphQL answered.
type answer struct {
	Status int
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
	Body string
}

// ok is the code of an answer without errors.
const ok = "ok"

// code is the code of the first error, or ok.
func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ok
	}
	return a.Errors[0].Extensions.Code
}

// ask runs a document as somebody.
func (w *world) ask(who, query string, variables ...any) answer {
	w.t.Helper()
	return w.post(who, map[string]any{"query": query, "variables": pairs(variables)})
}

// post sends one request as somebody.
func (w *world) post(who string, request map[string]any) answer {
	w.t.Helper()
	body, _ := json.Marshal(request)
	req, _ := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if c := w.who[who]; c != "" {
		req.Header.Set("Authorization", "Bearer "+c)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	a := answer{Status: resp.StatusCode, Body: string(text)}
	if err := json.Unmarshal(text, &a); err != nil {
		w.t.Fatalf("%s: %v in %s", body, err, text)
	}
	return a
}

func pairs(kv []any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

// at walks into the data: names of fields and indices of lists.
func (a answer) at(path ...any) any {
	var v any = a.Data
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func text(v any) string { return fmt.Sprint(v) }
