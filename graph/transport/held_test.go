package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/graph/transport"
)

const listening = "subscription{ticks}"

var weight = transport.WeightOf(&graphql.RawParams{Query: listening})

func TestWhatTheOperationsOfASocketKeepIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) { ws.MaxHeld = 2*weight + weight - 1 })
	c := w.join(t)
	refused := fmt.Sprintf(`{"id":"3","type":"error","payload":[{"message":"the documents and variables of the operations of one socket can take %d bytes",`+
		`"extensions":{"code":"TOO_MANY_REQUESTS"}}]}`, 3*weight-1)
	c.send(ticks, "1")
	c.send(ticks, "2")
	c.send(ticks, "3")
	c.expect(refused)
	other := w.join(t)
	other.send(ticks, "1")
	for range 3 {
		wait(t, w.began, "a subscription")
	}
	c.send(complete, "1")
	c.send(ticks, "3") // which takes no more than the completed one did
	wait(t, w.began, "a subscription in the place of the completed one")
}

func TestWhatTheOperationsOfAnOwnerKeepIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Subscriptions.MaxHeld = 2 * weight
		ws.Subscriptions.Owner = func(ctx context.Context) string { return ctx.Value(person{}).(string) }
		ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
			return context.WithValue(r.Context(), person{}, r.Header.Get("Person")), transport.Session{}, nil
		}
	})
	join := func(person string) *client {
		c := w.dial(t, http.Header{"Person": {person}})
		c.send(`{"type":"connection_init"}`)
		c.expect(`{"type":"connection_ack"}`)
		return c
	}
	refused := fmt.Sprintf(`{"id":"1","type":"error","payload":[{"message":"the documents and variables of your operations can take %d bytes in all",`+
		`"extensions":{"code":"TOO_MANY_REQUESTS"}}]}`, 2*weight)
	first, second, third := join("ada"), join("ada"), join("ada")
	for _, c := range []*client{first, second, join("bob")} { // as much as may be
		c.send(ticks, "1")
		wait(t, w.began, "a subscription")
	}
	third.send(ticks, "1")
	third.expect(refused)
	first.Close() // however it ends
	wait(t, w.ended, "the end of a subscription's context")
	for began := time.Now(); ; {
		third.send(hello)
		got, err := third.read()
		if err != nil || time.Since(began) > patience {
			t.Fatalf("got %s, %v", got, err)
		}
		if strings.Contains(got, `"next"`) {
			break
		}
	}
	third.expect(`{"id":"1","type":"complete"}`)
}

func TestWhatTheOperationsOfStreamsKeepIsBounded(t *testing.T) {
	t.Parallel()
	body := func(id string) string { return called(id, listening) }
	var sent struct{ Extensions map[string]any }
	if err := json.Unmarshal([]byte(body("1")), &sent); err != nil {
		t.Fatal(err)
	}
	one := transport.WeightOf(&graphql.RawParams{Query: listening, Extensions: sent.Extensions})
	f := func(of, all int64, otherStream int) {
		t.Helper()
		bounds := func(s *transport.Streaming) {
			s.MaxHeld, s.Subscriptions.MaxHeld = of, all
			s.Subscriptions.Owner = func(ctx context.Context) string { return ctx.Value(person{}).(string) }
		}
		inLibrary(t, bounds, func(l *library) {
			post := func(token []string, person, id string, want int) {
				t.Helper()
				if got := l.ask("POST", "/", body(id), append(token, "Person", person)...); got.status != want {
					t.Errorf("operation %s of %s: want %d, got %+v", id, person, want, got)
				}
			}
			never, token := l.reserve("Person", "ada"), l.reserve("Person", "ada")
			post(never, "ada", "1", http.StatusAccepted)
			post(never, "ada", "2", http.StatusAccepted)
			post(never, "ada", "3", http.StatusTooManyRequests)
			post(token, "ada", "1", otherStream)
			post(l.reserve("Person", "bob"), "bob", "1", http.StatusAccepted)
			l.ask("DELETE", "/?operationId=1", "", append(never, "Person", "ada")...)
			post(never, "ada", "4", http.StatusAccepted)
			time.Sleep(31 * time.Second) // synthetic: the reservations are over
			token = l.reserve("Person", "ada")
			post(token, "ada", "1", http.StatusAccepted)
			post(token, "ada", "2", http.StatusAccepted)
		})
	}
	f(2*one, 100*one, http.StatusAccepted)
	f(100*one, 2*one, http.StatusTooManyRequests)
}

func TestStreamOfOneOperationCountsForItsOwner(t *testing.T) {
	t.Parallel()
	one := transport.WeightOf(&graphql.RawParams{Query: listening})
	inLibrary(t, func(s *transport.Streaming) { s.MaxHeld, s.Subscriptions.MaxHeld = 1, one }, func(l *library) {
		body := fmt.Sprintf(`{"query":%q}`, listening)
		e := l.listen("POST", "/", body)
		if got := l.ask("POST", "/", body, "Accept", asEvents); got.status != http.StatusTooManyRequests {
			t.Errorf("got %+v", got)
		}
		e.Body.Close()
		<-l.ended
		l.listen("POST", "/", body)
	})
}

func TestWeightOfAnOperationIsAboutWhatItTakes(t *testing.T) {
	t.Parallel()
	list := func(n int, v any) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = v
		}
		return l
	}
	f := func(variables map[string]any, least, most int64) {
		t.Helper()
		got := transport.WeightOf(&graphql.RawParams{Query: "{hello}", Variables: variables})
		if got < least || got > most {
			t.Errorf("%d bytes", got)
		}
	}
	f(nil, 7, 200)
	f(map[string]any{"x": strings.Repeat("x", 60_000)}, 60_000, 60_400)
	f(map[string]any{"x": list(30_000, json.Number("1"))}, 30_000*(16+16+1), 30_000*48)
	f(map[string]any{"x": map[string]any{"y": list(1000, map[string]any{"z": true})}}, 1000*50, 1000*400)
}
