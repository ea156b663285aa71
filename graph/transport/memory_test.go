package transport

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// What a socket costs beyond its client, both of which live in the process of the test. Kernel memory is not counted.
func TestIdleSocketTakesLessThanTenKilobytes(t *testing.T) { // not in parallel: it reads the memory of the process
	const n = 2000
	f := func(what string, most float64, use func(net.Conn)) {
		t.Helper()
		client := measure(t, n, deaf(t), func(net.Conn) {})
		all := measure(t, n, quiet(t), use)
		t.Logf("%s: heap %.0f, stack %.0f bytes, %.2f goroutines", what, all.heap-client.heap, all.stack-client.stack, all.goroutines)
		if cost := all.heap + all.stack - client.heap - client.stack; cost > most && !raceEnabled {
			t.Errorf("%s: %.0f bytes, want at most %.0f", what, cost, most)
		}
		if all.goroutines > 1.01 {
			t.Errorf("%s: %.2f goroutines", what, all.goroutines)
		}
	}
	f("a socket", 8000, func(c net.Conn) { greet(t, c) })
	f("a socket with a shared subscription", 10_240, func(c net.Conn) {
		greet(t, c)
		say(c, `{"id":"1","type":"subscribe","payload":{"query":"subscription Q($of:[ID!]){quiet(of:$of)}","variables":{"of":["1","2"]}}}`)
		if _, err := readFrame(c); err != nil { // what comes first
			t.Fatal(err)
		}
	})
}

// footprint is what each of many connections costs.
type footprint struct{ heap, stack, goroutines float64 }

// measure connects n clients to address, has each do use, and returns what that took in the end.
func measure(t *testing.T, n int, address string, use func(net.Conn)) footprint {
	t.Helper()
	conns := make([]net.Conn, n)
	var before, after runtime.MemStats
	settle(&before)
	goroutines := runtime.NumGoroutine()
	for i := range conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
		use(conn)
	}
	settle(&after)
	each := func(before, after uint64) float64 { return (float64(after) - float64(before)) / float64(n) }
	return footprint{
		heap:       each(before.HeapAlloc, after.HeapAlloc),
		stack:      each(before.StackInuse, after.StackInuse),
		goroutines: float64(runtime.NumGoroutine()-goroutines) / float64(n),
	}
}

// settle reads the statistics when pools are empty and stacks have shrunk.
func settle(m *runtime.MemStats) {
	for range 4 {
		runtime.GC()
	}
	runtime.ReadMemStats(m)
}

// deaf returns the address of one who accepts nobody.
func deaf(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// quiet returns the address of a server with a subscription that all share and that has nothing to say after the first.
func quiet(t *testing.T) string {
	server := handler.New(quietSchema{gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { x: Int }
		type Subscription { quiet(of: [ID!]): String }
	`})})
	server.SetQueryCache(lru.New[*ast.QueryDocument](10))
	subs := &Subscriptions{}
	ws := &WebSocket{Subscriptions: subs}
	server.AddTransport(ws)
	g := openGateTo(t, ws, server)
	t.Cleanup(subs.Close)
	return g.address
}

type quietSchema struct{ schema *ast.Schema }

func (s quietSchema) Schema() *ast.Schema { return s.schema }

func (quietSchema) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (quietSchema) Exec(ctx context.Context) graphql.ResponseHandler {
	var events <-chan string
	if Planning(ctx) {
		events, _ = Propose[string](ctx, Plan{Share: "everybody"})
	} else {
		events, _ = Pull[string](ctx, quietStream{})
	}
	return func(context.Context) *graphql.Response {
		return &graphql.Response{Data: fmt.Appendf(nil, `{"quiet":%q}`, <-events)}
	}
}

type quietStream struct{}

func (quietStream) First(context.Context, bool) (string, Mark, error) { return "hush", Mark{}, nil }

func (quietStream) Next(ctx context.Context) (string, Mark, error) {
	<-ctx.Done()
	return "", Mark{}, ctx.Err()
}

func (quietStream) Place() int64 { return 0 }
func (quietStream) Until(int64)  {}
func (quietStream) Close()       {}
