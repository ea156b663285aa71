package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	gqlgen "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/graph/transport"
)

// BenchmarkHTTP compares HTTP with gqlgen's own transport, without the network.
func BenchmarkHTTP(b *testing.B) {
	for _, size := range []int{100, 200_000} {
		body := fmt.Sprintf(`{"query":"query($t:String!){echo(text:$t)}","variables":{"t":%q}}`, strings.Repeat("x", size))
		for name, door := range map[string]graphql.Transport{"ours": transport.HTTP{}, "gqlgen": gqlgen.POST{}} {
			server := handler.New(newHouse())
			server.AddTransport(door)
			server.SetQueryCache(lru.New[*ast.QueryDocument](100))
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r := httptest.NewRequest("POST", "/", strings.NewReader(body))
					r.Header.Set("Content-Type", "application/json")
					w := discard{http.Header{}}
					server.ServeHTTP(w, r)
				}
			})
		}
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkMessages compares a subscription's stream with the same frames written by gorilla alone, read by one client.
func BenchmarkMessages(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		w, stop := open(newHouse())
		defer stop()
		receive(b, w, fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:%d)}"}}`, 1<<40))
	})
	b.Run("gorilla", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := (&websocket.Upgrader{Subprotocols: []string{transport.Subprotocol}}).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer conn.Close()
			frame := []byte(`{"id":"1","type":"next","payload":{"data":{"count":1000000}}}`)
			for conn.WriteMessage(websocket.TextMessage, frame) == nil {
			}
		}))
		defer server.Close()
		receive(b, server, "")
	})
}

func open(h *house) (*httptest.Server, func()) {
	ws := &transport.WebSocket{}
	server := handler.New(h)
	server.AddTransport(ws)
	s := httptest.NewServer(server)
	return s, func() {
		_ = ws.Shutdown(context.Background())
		s.Close()
	}
}

func receive(b *testing.B, server *httptest.Server, subscribe string) {
	dialer := websocket.Dialer{Subprotocols: []string{transport.Subprotocol}}
	c, _, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if subscribe != "" {
		_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`))
		_ = c.WriteMessage(websocket.TextMessage, []byte(subscribe))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.NextReader(); err != nil {
			b.Fatal(err)
		}
	}
}
