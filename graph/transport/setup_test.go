package transport_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen soon; on a busy machine soon is relative.
const patience = 20 * time.Second

const sdl = `
	type Query {
		hello: String!
		echo(text: String!): String!
		fails: String
		panics: String
		forbidden: String
		waits: String
	}
	type Mutation { add(by: Int!): Int! }
	type Subscription {
		ticks: Int!
		count(to: Int!): Int!
		flood(bytes: Int!): String!
		gives: Int!
		refused: Int!
		panics: Int!
		stubborn: Int!
		entries(of: String, from: Int, other: Int): Int!
	}
`

// house is a schema written by hand whose subscriptions the test drives.
type house struct {
	schema *ast.Schema
	ticks  chan int      // what the subscription ticks sends
	began  chan struct{} // gets an element when ticks, waits, flood or stubborn begins
	ended  chan struct{} // gets an element when ticks or waits ends
	free   chan struct{} // closed to let stubborn end

	// The subscription entries, as the test has it.
	plan    func(ctx context.Context, args map[string]any) (transport.Plan, error)
	entries func(ctx context.Context, args map[string]any) (transport.Stream[any], error)
}

func newHouse() *house {
	return &house{
		schema: gqlparser.MustLoadSchema(&ast.Source{Input: sdl}),
		ticks:  make(chan int),
		began:  make(chan struct{}, 1000),
		ended:  make(chan struct{}, 1000),
		free:   make(chan struct{}),
	}
}

func (h *house) Schema() *ast.Schema { return h.schema }

func (h *house) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (h *house) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation", "Subscription"})[0].Field
	args := field.ArgumentMap(op.Variables)
	if op.Operation.Operation == ast.Subscription {
		events, err := h.subscribe(ctx, field.Name, args)
		if err != nil {
			graphql.AddError(ctx, err)
			return nil
		}
		return results(field, events)
	}
	asked := false
	return func(ctx context.Context) *graphql.Response {
		if asked {
			return nil
		}
		asked = true
		value := h.resolve(ctx, field.Name, args)
		if value == nil {
			return &graphql.Response{Data: json.RawMessage(`null`)}
		}
		return result(field, value)
	}
}

// results answers with one event after the other, as gqlgen does.
func results(field *ast.Field, events <-chan any) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		select {
		case <-ctx.Done():
		case e, ok := <-events:
			if ok {
				return result(field, e)
			}
		}
		return nil
	}
}

func result(field *ast.Field, value any) *graphql.Response {
	if value == missing {
		value = nil
	}
	data, err := json.Marshal(map[string]any{field.Alias: value})
	if err != nil {
		panic(err)
	}
	return &graphql.Response{Data: data}
}

var missing = new(int)

func (h *house) resolve(ctx context.Context, name string, args map[string]any) any {
	switch name {
	case "__typename":
		return "Query"
	case "hello":
		return "world"
	case "echo":
		return args["text"]
	case "add":
		return args["by"]
	case "fails":
		graphql.AddError(ctx, errors.New("it failed"))
		return missing
	case "forbidden":
		graphql.AddError(ctx, fault.New(fault.Forbidden, "not yours"))
		return nil
	case "panics":
		panic("secret of the resolver")
	case "waits":
		signal(h.began)
		<-ctx.Done()
		signal(h.ended)
		return nil
	}
	return missing
}

// subscribe is the resolver of all subscriptions.
func (h *house) subscribe(ctx context.Context, name string, args map[string]any) (<-chan any, error) {
	switch name {
	case "ticks":
		return h.everyTick(ctx)
	case "count":
		to, _ := args["to"].(int64)
		return alone(ctx, countTo(to))
	case "flood":
		bytes, _ := args["bytes"].(int64)
		return alone(ctx, h.flood(int(bytes)))
	case "entries":
		return h.everyEntry(ctx, args)
	case "gives":
		return transport.Pull(ctx, stream{next: givesOnce()}) // plans nothing
	case "panics":
		return transport.Pull(ctx, stream{next: func(context.Context) (any, error) { panic("secret of the resolver") }})
	case "stubborn":
		return alone(ctx, func(context.Context) (any, error) {
			signal(h.began)
			<-h.free
			return nil, io.EOF
		})
	}
	return nil, fault.New(fault.Forbidden, "not yours")
}

func (h *house) everyEntry(ctx context.Context, args map[string]any) (<-chan any, error) {
	if transport.Planning(ctx) {
		plan, err := h.plan(ctx, args)
		if err != nil {
			return nil, err
		}
		return transport.Propose[any](ctx, plan)
	}
	s, err := h.entries(ctx, args)
	if err != nil {
		return nil, err
	}
	return transport.Pull(ctx, s)
}

// everyTick gives what the test sends, until it closes ticks.
func (h *house) everyTick(ctx context.Context) (<-chan any, error) {
	if transport.Planning(ctx) {
		return transport.Propose[any](ctx, transport.Plan{})
	}
	signal(h.began)
	next := func(ctx context.Context) (any, error) {
		select {
		case i, ok := <-h.ticks:
			if !ok {
				return nil, io.EOF
			}
			return i, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return transport.Pull(ctx, stream{next: next, closed: func() { signal(h.ended) }})
}

// countTo gives the numbers from 1.
func countTo(to int64) func(context.Context) (any, error) {
	n := int64(0)
	return func(ctx context.Context) (any, error) {
		if n == to {
			return nil, io.EOF
		}
		n++
		return n, ctx.Err()
	}
}

// flood gives texts for ever.
func (h *house) flood(bytes int) func(context.Context) (any, error) {
	began := sync.OnceFunc(func() { signal(h.began) })
	return func(ctx context.Context) (any, error) {
		began()
		return strings.Repeat("x", bytes), ctx.Err()
	}
}

// givesOnce gives one result, then a failure.
func givesOnce() func(context.Context) (any, error) {
	given := false
	return func(context.Context) (any, error) {
		if given {
			return nil, fault.Wrap(errors.New("secret"), fault.TooMany, "too slow")
		}
		given = true
		return 1, nil
	}
}

// alone has next executed for each subscriber alone, who so gets everything at his own pace; what is shared has nothing to add.
func alone(ctx context.Context, next func(context.Context) (any, error)) (<-chan any, error) {
	switch {
	case transport.Planning(ctx):
		return transport.Propose[any](ctx, transport.Plan{Alone: true})
	case transport.PartOf(ctx).Shared:
		next = func(context.Context) (any, error) { return nil, io.EOF }
	}
	return transport.Pull(ctx, stream{next: next})
}

// stream is a transport.Stream without places that has nothing to say to newcomers.
type stream struct {
	next   func(context.Context) (any, error)
	closed func() // nil: nothing to do
}

func (s stream) First(context.Context, bool) (any, transport.Mark, error) {
	return nil, transport.Mark{}, transport.ErrNothing
}

func (s stream) Next(ctx context.Context) (any, transport.Mark, error) {
	e, err := s.next(ctx)
	return e, transport.Mark{}, err
}

func (s stream) Place() int64 { return 0 }
func (s stream) Until(int64)  {}

func (s stream) Close() {
	if s.closed != nil {
		s.closed()
	}
}

// signal tells whoever waits on ch, and is lost once too many have not been waited for.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// world is a server with both transports.
type world struct {
	*house
	*httptest.Server
	ws       *transport.WebSocket
	subs     *transport.Subscriptions
	dialer   websocket.Dialer
	patience time.Duration // of the clients
	slow     time.Duration // of a client's reads, on synthetic time
	t        *testing.T    // of the bubble, on synthetic time
}

func setup(t *testing.T, options ...func(*transport.WebSocket)) *world {
	t.Helper()
	w := build(options)
	// A machine that is busy with other tests must not look like a client that is slow to greet.
	w.ws.InitTimeout = cmp.Or(w.ws.InitTimeout, patience)
	w.Start()
	t.Cleanup(func() {
		w.shutdown(t)
		w.Close()
	})
	return w
}

// build puts a world together that does not listen yet.
func build(options []func(*transport.WebSocket)) *world {
	h := newHouse()
	quiet := slog.New(slog.DiscardHandler)
	subs := &transport.Subscriptions{Log: quiet}
	ws := &transport.WebSocket{Log: quiet, Subscriptions: subs}
	for _, option := range options {
		option(ws)
	}
	server := handler.New(h)
	server.AddTransport(ws)
	server.AddTransport(transport.HTTP{MaxBody: 2000})
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server.Use(extension.Introspection{})
	server.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](100)})
	server.AroundOperations(intercept)
	server.SetRecoverFunc(func(context.Context, any) error { return errors.New("a panic, presented") })
	return &world{
		house:    h,
		Server:   httptest.NewUnstartedServer(late(server)),
		ws:       ws,
		subs:     subs,
		dialer:   websocket.Dialer{Subprotocols: []string{transport.Subprotocol}, HandshakeTimeout: patience},
		patience: patience,
	}
}

func (w *world) shutdown(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.ws.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	w.subs.Close()
}

// wait fails the test unless ch gives something soon.
func wait[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("no sign of: %s", what)
		panic("unreachable")
	}
}

// client is a WebSocket client that speaks raw messages.
type client struct {
	*testing.T
	*websocket.Conn
	greeted  bool
	patience time.Duration
}

// dial connects with the subprotocol; header may be nil.
func (w *world) dial(t *testing.T, header http.Header) *client {
	t.Helper()
	conn, err := w.connect(header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{T: t, Conn: conn, patience: w.patience}
}

func (w *world) connect(header http.Header) (*websocket.Conn, error) {
	conn, _, err := w.dialer.Dial("ws"+strings.TrimPrefix(w.URL, "http"), header)
	return conn, err
}

// join is dial with the greeting done.
func (w *world) join(t *testing.T) *client {
	t.Helper()
	c := w.dial(t, nil)
	c.send(`{"type":"connection_init"}`)
	c.expect(`{"type":"connection_ack"}`)
	c.greeted = true
	return c
}

func (c *client) send(format string, args ...any) {
	c.Helper()
	if err := c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		c.Fatalf("send: %v", err)
	}
}

func (c *client) read() (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(c.patience))
	_, data, err := c.ReadMessage()
	return string(data), err
}

// expect fails the test unless the next message is want.
func (c *client) expect(want string) {
	c.Helper()
	got, err := c.read()
	if err != nil {
		c.Fatalf("want %s, got %v", want, err)
	}
	if got != want && !sameJSON(got, want) {
		c.Fatalf("want %s, got %s", want, got)
	}
}

// expectClose fails the test unless the next thing is a close frame with code and reason.
func (c *client) expectClose(code int, reason string) {
	c.Helper()
	got, err := c.read()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code || closed.Text != reason {
		c.Fatalf("want close %d %q, got %q %v", code, reason, got, err)
	}
}

// expectNothing fails the test if anything but the pong of its own ping comes first.
func (c *client) expectNothing() {
	c.Helper()
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	i, _ := json.Marshal(x)
	j, _ := json.Marshal(y)
	return string(i) == string(j)
}

// answer is what an HTTP request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) request(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := w.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// late has requests with the header Late arrive when their time is over already.
func late(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if r.Header.Get("Late") != "" {
			cancel()
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// intercept has the deadline of operations called Late lie in the past, and never ends those called Endless.
func intercept(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	switch graphql.GetOperationContext(ctx).Operation.Name {
	case "Late":
		ctx, cancel := context.WithTimeout(ctx, -1)
		defer cancel()
		return next(ctx)
	case "Endless":
		return func(context.Context) *graphql.Response { return &graphql.Response{Data: json.RawMessage(`{}`)} }
	}
	return next(ctx)
}
