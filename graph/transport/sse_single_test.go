package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const tokenHeader = "X-GraphQL-Event-Stream-Token"

// reserve returns the token of a stream, with the header that it goes by.
func (l *library) reserve(header ...string) []string {
	l.t.Helper()
	got := l.ask("PUT", "/", "", header...)
	if got.status != http.StatusCreated || len(got.body) < 22 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		l.t.Fatalf("got %+v", got)
	}
	return []string{tokenHeader, got.body}
}

// operate sends an operation into a reserved stream, and fails the test if it is not accepted.
func (l *library) operate(token []string, id, query string) {
	l.t.Helper()
	if got := l.ask("POST", "/", called(id, query), token...); got.status != http.StatusAccepted || got.body != "" {
		l.t.Fatalf("got %+v", got)
	}
	synctest.Wait() // until it takes part in what is shared
}

// called is the body of a request for a reserved stream.
func called(id, query string) string {
	return fmt.Sprintf(`{"query":"%s","extensions":{"operationId":"%s"}}`, query, id)
}

func TestOneStreamTellsOfManyOperations(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		token := l.reserve()
		e := l.listen("GET", "/", "", token...)
		next := func(id, payload string) string {
			return `event: next data: {"id":"` + id + `","payload":` + payload + `}`
		}
		complete := func(id string) string { return `event: complete data: {"id":"` + id + `"}` }

		l.operate(token, "q", "{hello}")
		e.expect(next("q", `{"data":{"hello":"world"}}`), complete("q"))
		l.operate(token, "m", "mutation{add(by:1)}")
		e.expect(next("m", `{"data":{"add":1}}`), complete("m"))
		l.operate(token, "c", "subscription{count(to:2)}")
		e.expect(next("c", `{"data":{"count":1}}`), next("c", `{"data":{"count":2}}`), complete("c"))
		l.operate(token, "r", "subscription{refused}")
		e.expect(next("r", `{"errors":[{"message":"forbidden: not yours"}]}`), complete("r"))
		l.operate(token, "g", "subscription{gives}")
		e.expect(next("g", `{"data":{"gives":1}}`), next("g", `{"errors":[{"message":"too slow","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`), complete("g"))

		l.operate(token, "1", "subscription{numbers}")
		l.operate(token, "2", "subscription{a:numbers}")
		l.publish(1)
		both := []string{e.read(), e.read()}
		for _, want := range []string{next("1", `{"data":{"numbers":1}}`), next("2", `{"data":{"a":1}}`)} {
			if both[0] != want && both[1] != want {
				t.Errorf("want %s among %v", want, both)
			}
		}
		l.ask("DELETE", "/?operationId=1", "", token...)
		l.publish(2)
		e.expect(next("2", `{"data":{"a":2}}`))
		l.operate(token, "1", "{hello}")
		e.expect(next("1", `{"data":{"hello":"world"}}`), complete("1"))
		if _, feeds := l.subs.Counts(); feeds != 1 {
			t.Errorf("%d executions", feeds)
		}
	})
}

func TestOperationsWaitForTheirStreamToBeOpened(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		token := l.reserve()
		l.operate(token, "1", "{hello}")
		l.operate(token, "2", "{hello}")
		l.ask("DELETE", "/?operationId=1", "", token...)
		e := l.listen("GET", "/?token="+token[1], "")
		e.expect(`event: next data: {"id":"2","payload":{"data":{"hello":"world"}}}`, `event: complete data: {"id":"2"}`, ":")
	})
}

func TestReservedStreamRefuses(t *testing.T) {
	t.Parallel()
	inLibrary(t, func(s *transport.Streaming) { s.MaxOperations = 2 }, func(l *library) {
		token := l.reserve()
		l.listen("GET", "/", "", token...)
		l.operate(token, "a", "subscription{ticks}")
		f := func(status int, want, method, path, body string, header ...string) {
			t.Helper()
			got := l.ask(method, path, body, append(header, token...)...)
			if got.status != status || !strings.Contains(got.body, want) || !strings.HasPrefix(got.body, `{"errors":[`) {
				t.Errorf("%s %s %s: want %d %s, got %+v", method, path, body, status, want, got)
			}
		}
		const hello = "query=%7Bhello%7D"
		f(409, "open already", "GET", "/", "", "Accept", asEvents)
		f(403, "another origin", "GET", "/", "", "Accept", asEvents, "Origin", "https://elsewhere.example")
		f(409, "is running", "POST", "/", called("a", "{hello}"))
		f(400, "1 to 128 bytes", "POST", "/", `{"query":"{hello}"}`)
		f(400, "1 to 128 bytes", "POST", "/", called(strings.Repeat("x", 129), "{hello}"))
		f(400, "must be a string", "POST", "/", `{"query":"{hello}","extensions":{"operationId":1}}`)
		f(400, "must be a string", "GET", "/?"+hello+`&extensions={"operationId":1}`, "")
		f(400, "GRAPHQL_PARSE_FAILED", "POST", "/", called("b", "{"))
		f(400, "GRAPHQL_PARSE_FAILED", "POST", "/", called("b", "{"), "Accept", mediaGraphQL)
		f(400, "not JSON", "POST", "/", `{`)
		f(405, "only queries", "GET", `/?query=mutation%7Badd(by:1)%7D&extensions={"operationId":"b"}`, "")
		f(400, "1 to 128 bytes", "DELETE", "/", "")
		l.operate(token, "b", "subscription{numbers}")
		f(429, "at most 2", "POST", "/", called("c", "{hello}"))
		l.ask("DELETE", "/?operationId=b", "", token...)
		l.operate(token, "c", "{hello}")

		token = []string{tokenHeader, "unknown"}
		f(404, "no such stream", "GET", "/", "", "Accept", asEvents)
		f(404, "no such stream", "POST", "/", called("a", "{hello}"))
		f(404, "no such stream", "DELETE", "/?operationId=a", "")
		token = nil
		f(404, "no such stream", "DELETE", "/?operationId=a", "")
	})
}

func TestReservedStreamIsOfNoUseToAnybodyElse(t *testing.T) {
	t.Parallel()
	whose := func(s *transport.Streaming) {
		s.Subscriptions.Owner = func(ctx context.Context) string { return ctx.Value(person{}).(string) }
	}
	inLibrary(t, whose, func(l *library) {
		token := l.reserve("Person", "ada")
		f := func(person string, get, post, remove int) {
			t.Helper()
			header := append([]string{"Person", person}, token...)
			if got := l.ask("POST", "/", called("a", "{hello}"), header...); got.status != post {
				t.Errorf("POST by %s: got %+v", person, got)
			}
			if got := l.ask("DELETE", "/?operationId=a", "", header...); got.status != remove {
				t.Errorf("DELETE by %s: got %+v", person, got)
			}
			if got := l.send("GET", "/", "", append(header, "Accept", asEvents)...); got.StatusCode != get {
				t.Errorf("GET by %s: got %+v", person, got)
			}
		}
		f("eve", 404, 404, 404)
		f("ada", 200, 202, 200)
		f("eve", 404, 404, 404)
		f("ada", 409, 202, 200)
	})
}

func TestReservationsOfOneOwnerAreBounded(t *testing.T) {
	t.Parallel()
	whose := func(s *transport.Streaming) {
		s.Subscriptions.Owner = func(ctx context.Context) string { return ctx.Value(person{}).(string) }
	}
	inLibrary(t, whose, func(l *library) {
		tooMany := func(person string) {
			t.Helper()
			if got := l.ask("PUT", "/", "", "Person", person); got.status != http.StatusTooManyRequests {
				t.Errorf("got %+v", got)
			}
		}
		for range 16 {
			l.reserve("Person", "eve")
		}
		tooMany("eve")
		for range 64 {
			token := l.reserve("Person", "ada")
			l.listen("GET", "/", "", append(token, "Person", "ada")...)
		}
		tooMany("ada")
	})
}

func TestFewOperationsWaitForAStreamToBeOpened(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		token := l.reserve()
		for i := range 8 {
			l.operate(token, fmt.Sprint(i), "subscription{ticks}")
		}
		if got := l.ask("POST", "/", called("8", "{hello}"), token...); got.status != http.StatusTooManyRequests {
			t.Errorf("got %+v", got)
		}
		l.listen("GET", "/", "", token...)
		l.operate(token, "8", "{hello}")
	})
}

func TestReservationEndsAfterThirtySeconds(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		used, unused := l.reserve(), l.reserve()
		time.Sleep(29 * time.Second)
		l.listen("GET", "/", "", used...)
		time.Sleep(2 * time.Second)
		if got := l.ask("GET", "/", "", append(unused, "Accept", asEvents)...); got.status != http.StatusNotFound {
			t.Errorf("got %+v", got)
		}
		l.operate(used, "1", "{hello}")
		if open := l.streaming.Open(); open != 1 {
			t.Errorf("%d are open", open)
		}
	})
}

func TestTokenEndsWithItsStream(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		token := l.reserve()
		e := l.listen("GET", "/", "", token...)
		l.operate(token, "1", "subscription{ticks}")
		e.Body.Close()
		<-l.ended
		synctest.Wait()
		if got := l.ask("GET", "/", "", append(token, "Accept", asEvents)...); got.status != http.StatusNotFound {
			t.Errorf("got %+v", got)
		}
		if open := l.streaming.Open(); open != 0 {
			t.Errorf("%d are open", open)
		}
	})
}

func TestEndOfRightsIsToldToEveryOperationOfAStream(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		token := l.reserve()
		e := l.listen("GET", "/", "", token...)
		l.operate(token, "1", "subscription{numbers}")
		l.operate(token, "2", "subscription{ticks}")
		l.fail(fault.New(fault.Unauthenticated, "removed"))
		for _, id := range []string{"1", "2"} {
			e.expect(`event: next data: {"id":"` + id + `","payload":{"errors":[{"message":"removed","extensions":{"code":"UNAUTHENTICATED"}}]}}`)
		}
		e.expectCut()
	})
}
