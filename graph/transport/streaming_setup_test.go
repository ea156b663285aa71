package transport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// library is a house whose subscription numbers has places: it gives what the test publishes, and can be gone on with.
type library struct {
	*house
	schema    *ast.Schema
	streaming *transport.Streaming
	subs      *transport.Subscriptions
	handler   http.Handler
	url       string
	client    *http.Client
	t         *testing.T

	left      atomic.Bool // the leaver has called add, and is refused what he listens to
	mu        sync.Mutex
	published int64         // the newest number
	changed   chan struct{} // closed when there is a newer one
	check     error         // what those who subscribe to numbers are not allowed for
	failing   error         // what numbers ends with
}

func newLibrary(t *testing.T, options ...func(*transport.Streaming)) *library {
	quiet := slog.New(slog.DiscardHandler)
	subs := &transport.Subscriptions{Log: quiet}
	l := &library{
		house:     newHouse(),
		schema:    gqlparser.MustLoadSchema(&ast.Source{Input: sdl + `extend type Subscription { numbers: Int! }`}),
		streaming: &transport.Streaming{Plain: transport.HTTP{MaxBody: 2000}, Subscriptions: subs, Log: quiet},
		subs:      subs,
		t:         t,
		changed:   make(chan struct{}),
	}
	for _, option := range options {
		option(l.streaming)
	}
	server := handler.New(l)
	server.AddTransport(l.streaming)
	server.AddTransport(l.streaming.Plain)
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server.AroundOperations(intercept)
	server.SetRecoverFunc(func(context.Context, any) error { return errors.New("a panic, presented") })
	l.handler = known(server)
	return l
}

type person struct{}

// known puts into the context who says by a header that he asks; nobody is refused.
func known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Person") == "nobody" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), person{}, r.Header.Get("Person"))))
	})
}

// inLibrary runs f in a bubble of synthetic time, with a server on connections without buffers that gives a request 30 seconds
// and an answer 60.
func inLibrary(t *testing.T, option func(*transport.Streaming), f func(*library)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var options []func(*transport.Streaming)
		if option != nil {
			options = append(options, option)
		}
		l := newLibrary(t, options...)
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: l.handler, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
		go func() { _ = server.Serve(pipes) }()
		dial := func(_ context.Context, network, address string) (net.Conn, error) {
			return pipes.dial(network, address)
		}
		connections := &http.Transport{DialContext: dial, DisableKeepAlives: true}
		l.url, l.client = "http://library", &http.Client{Transport: connections}
		t.Cleanup(func() {
			l.shutdown()
			_ = server.Close()
			connections.CloseIdleConnections()
			time.Sleep(time.Second) // while the server leaves connections to their clients
		})
		f(l)
	})
}

func (l *library) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.streaming.Shutdown(ctx); err != nil {
		l.t.Errorf("shutdown: %v", err)
	}
	l.subs.Close()
}

func (l *library) Schema() *ast.Schema { return l.schema }

func (l *library) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := op.Operation.SelectionSet[0].(*ast.Field)
	if field.Name == "add" && ctx.Value(person{}) == "leaver" {
		l.left.Store(true)
	}
	if field.Name != "numbers" {
		return l.house.Exec(ctx)
	}
	numbers, err := l.numbers(ctx)
	if err != nil {
		graphql.AddError(ctx, err)
		return nil
	}
	return results(field, numbers)
}

// publish makes the numbers up to n the newest.
func (l *library) publish(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published = n
	l.change()
}

// fail has numbers end with err.
func (l *library) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err
	l.change()
}

// forbid has nobody be allowed numbers, because of err.
func (l *library) forbid(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.check = err
}

func (l *library) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *library) state() (published int64, changed <-chan struct{}, check, failing error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published, l.changed, l.check, l.failing
}

func (l *library) numbers(ctx context.Context) (<-chan any, error) {
	if transport.Planning(ctx) {
		check := func() error { _, _, err, _ := l.state(); return err }
		if ctx.Value(person{}) == "leaver" {
			l.left.Store(false)
			check = func() error {
				if l.left.Load() {
					return fault.New(fault.Unauthenticated, "the rights have ended")
				}
				return nil
			}
		}
		return transport.Propose[any](ctx, transport.Plan{Share: "everybody", Places: true, Check: check, Project: 7})
	}
	part := transport.PartOf(ctx)
	head, _, _, _ := l.state()
	r := &reader{library: l, place: head}
	switch {
	case part.Behind:
		r.place = part.Place
	case part.After != "":
		after, err := strconv.ParseInt(strings.TrimPrefix(part.After, "n"), 10, 64)
		if err != nil || after > head {
			return nil, fault.New(fault.Invalid, "no such cursor")
		}
		r.place = after
	}
	return transport.Pull[any](ctx, r)
}

// reader is a place among the numbers.
type reader struct {
	*library
	place, until int64
}

func (r *reader) First(context.Context, bool) (any, transport.Mark, error) {
	return nil, transport.Mark{}, transport.ErrNothing
}

func (r *reader) Next(ctx context.Context) (any, transport.Mark, error) {
	for {
		published, changed, _, failing := r.state()
		switch {
		case r.until > 0 && r.place >= r.until:
			return nil, transport.Mark{}, io.EOF
		case r.place < published:
			r.place++
			mark := transport.Mark{Place: r.place, Cursor: "n" + strconv.FormatInt(r.place, 10), Live: r.place == published}
			return r.place, mark, nil
		case failing != nil:
			return nil, transport.Mark{}, failing
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, transport.Mark{}, ctx.Err()
		}
	}
}

func (r *reader) Place() int64       { return r.place }
func (r *reader) Until(offset int64) { r.until = offset }
func (r *reader) Close()             {}

const asEvents = "text/event-stream"

// send sends a request; header holds names and values in turn. A body is JSON.
func (l *library) send(method, path, body string, header ...string) *http.Response {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := l.client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// ask sends a request and returns its answer as a whole.
func (l *library) ask(method, path, body string, header ...string) answer {
	l.t.Helper()
	resp := l.send(method, path, body, header...)
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// events is a stream that is being read.
type events struct {
	*testing.T
	*http.Response
	lines *bufio.Reader
}

func newEvents(t *testing.T, resp *http.Response) *events {
	return &events{T: t, Response: resp, lines: bufio.NewReader(resp.Body)}
}

// listen opens a stream of events and reads its opening.
func (l *library) listen(method, path, body string, header ...string) *events {
	l.t.Helper()
	resp := l.send(method, path, body, append([]string{"Accept", asEvents}, header...)...)
	e := newEvents(l.t, resp)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		data, _ := io.ReadAll(resp.Body)
		l.t.Fatalf("got %d %v %s", resp.StatusCode, resp.Header, data)
	}
	e.expect(":")
	return e
}

// subscribe listens to numbers; a cursor is where to go on.
func (l *library) subscribe(cursor string) *events {
	l.t.Helper()
	var header []string
	if cursor != "" {
		header = []string{"Last-Event-ID", cursor}
	}
	e := l.listen("GET", "/?query=subscription%7Bnumbers%7D", "", header...)
	synctest.Wait() // until it takes part in what is shared
	return e
}

// read returns the next event, its lines joined by spaces; empty: there is none.
func (e *events) read() string {
	var lines []string
	for {
		line, err := e.lines.ReadString('\n')
		line = strings.TrimRight(line, "\n")
		if err != nil || line == "" {
			return strings.Join(lines, " ")
		}
		lines = append(lines, line)
	}
}

// expect fails the test unless these events come next.
func (e *events) expect(want ...string) {
	e.Helper()
	for _, w := range want {
		if got := e.read(); got != w {
			e.Fatalf("want %s, got %q", w, got)
		}
	}
}

// expectEnd fails the test unless the answer ends here, in order.
func (e *events) expectEnd() {
	e.Helper()
	if rest, err := io.ReadAll(e.lines); len(rest) > 0 || err != nil {
		e.Fatalf("want the end, got %q %v", rest, err)
	}
}

// expectCut fails the test unless the answer is broken off here.
func (e *events) expectCut() {
	e.Helper()
	if rest, err := io.ReadAll(e.lines); len(rest) > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		e.Fatalf("want it broken off, got %q %v", rest, err)
	}
}

// number is the event of a number.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	return `event: next id: n` + s + ` data: {"data":{"numbers":` + s + `}}`
}

const completed = "event: complete data: "

// count publishes one number after the other until the test ends.
func (l *library) count() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	l.t.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := int64(1); ; n++ {
			select {
			case <-tick.C:
				l.publish(n)
			case <-stop:
				return
			}
		}
	}()
}
