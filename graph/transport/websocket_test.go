package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	hello    = `{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}`
	ticks    = `{"id":"%s","type":"subscribe","payload":{"query":"subscription{ticks}"}}`
	tick     = `{"id":"%s","type":"next","payload":{"data":{"ticks":%d}}}`
	complete = `{"id":"%s","type":"complete"}`
)

func TestSocketRunsQueriesAndMutations(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	c.send(hello)
	c.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
	c.expect(`{"id":"1","type":"complete"}`)
	c.send(`{"id":"a\"b","type":"subscribe","payload":{"query":"mutation($n:Int!){add(by:$n)}","variables":{"n":3},"operationName":null}}`)
	c.expect(`{"id":"a\"b","type":"next","payload":{"data":{"add":3}}}`)
	c.expect(`{"id":"a\"b","type":"complete"}`)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"{fails}"}}`)
	c.expect(`{"id":"1","type":"next","payload":{"errors":[{"message":"it failed"}],"data":{"fails":null}}}`)
	c.expect(`{"id":"1","type":"complete"}`)
}

func TestQueryHasOneResultWhateverItsInterceptorSays(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"query Endless{hello}"}}`)
	c.expect(`{"id":"1","type":"next","payload":{"data":{}}}`)
	c.expect(`{"id":"1","type":"complete"}`)
}

func TestSocketStreamsSubscriptions(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:3)}"}}`)
	for i := 1; i <= 3; i++ {
		c.expect(fmt.Sprintf(`{"id":"1","type":"next","payload":{"data":{"count":%d}}}`, i))
	}
	c.expect(`{"id":"1","type":"complete"}`)
}

func TestSocketSendsNoCompleteAfterError(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	f := func(query, want string) {
		t.Helper()
		c.send(`{"id":"1","type":"subscribe","payload":{"query":"%s"}}`, query)
		c.expect(`{"id":"1","type":"error","payload":` + want + `}`)
		c.expectNothing()
	}
	f("{", `[{"message":"Expected Name, found <EOF>","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]`)
	f("query Late{hello}", `[{"message":"the time for this operation is over","extensions":{"code":"UNAVAILABLE"}}]`)
	f("subscription{refused}", `[{"message":"forbidden: not yours"}]`)
	f("subscription{panics}", `[{"message":"something went wrong here; the request id leads to the log line","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`)
	f("{panics}", `[{"message":"something went wrong here; the request id leads to the log line","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`)
}

func TestSubscriptionThatFailsEndsWithItsError(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{gives}"}}`)
	c.expect(`{"id":"1","type":"next","payload":{"data":{"gives":1}}}`)
	c.expect(`{"id":"1","type":"error","payload":[{"message":"too slow","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`)
	c.expectNothing()
}

func TestSocketAnswersPings(t *testing.T) {
	t.Parallel()
	c := setup(t).dial(t, nil)
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
	c.send(`{"type":"ping","payload":{"n":1.50,"s":["é"]}}`)
	c.expect(`{"type":"pong","payload":{"n":1.50,"s":["é"]}}`)
	c.send(`{"type":"pong","payload":{}}`)
	c.send(`{"type":"connection_init"}`)
	c.expect(`{"type":"connection_ack"}`)
}

func TestSocketSendsNothingAfterTheClientsComplete(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.join(t)
	c.send(ticks, "1")
	wait(t, w.began, "a subscription")
	w.ticks <- 1
	c.expect(fmt.Sprintf(tick, "1", 1))
	c.send(complete, "1")
	wait(t, w.ended, "the end of its context")
	c.expectNothing()
	c.send(complete, "1") // both sides may complete at the same time
	c.send(complete, "never seen")
	c.send(ticks, "1") // the id is free again
	wait(t, w.began, "a second subscription")
	w.ticks <- 2
	c.expect(fmt.Sprintf(tick, "1", 2))
	close(w.ticks)
	c.expect(fmt.Sprintf(complete, "1"))
}

func TestIDIsFreeOnceItsOperationIsComplete(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.join(t)
	for range 500 { // completed by the server
		c.send(hello)
		c.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
		c.expect(fmt.Sprintf(complete, "1"))
	}
	for range 10 { // completed by the client, while the resolver goes on
		c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{stubborn}"}}`)
		wait(t, w.began, "a subscription")
		c.send(complete, "1")
	}
	c.expectNothing()
	close(w.free)
	c.send(hello)
	c.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
}

func TestCompleteMayRaceWithResults(t *testing.T) {
	t.Parallel()
	c := setup(t).join(t)
	for i := range 200 {
		id := fmt.Sprint(i)
		c.send(`{"id":"%s","type":"subscribe","payload":{"query":"subscription{count(to:1000000)}"}}`, id)
		c.send(complete, id)
		c.send(`{"type":"ping","payload":{"after":"%s"}}`, id)
		for {
			got, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got, `"pong"`) {
				break
			}
			if !strings.Contains(got, `"id":"`+id+`"`) {
				t.Fatalf("after the pong that followed complete: %s", got)
			}
		}
	}
	c.expectNothing()
}

func TestSocketClosesWithTheCodeOfTheProtocol(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) { ws.MaxMessage = 1000 })
	const greet = `{"type":"connection_init"}`
	long := `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 1000) + `"}}`
	cases := []struct {
		name   string
		send   []string
		code   int
		reason string
	}{
		{"subscribe before init", []string{hello}, 4401, "Unauthorized"},
		{"second init", []string{greet, greet}, 4429, "Too many initialisation requests"},
		{"not JSON", []string{"not json"}, 4400, "Invalid message: the request is not JSON"},
		{"empty", []string{""}, 4400, "Invalid message: the request is empty"},
		{"array", []string{`[]`}, 4400, "Invalid message: one JSON object is expected; batches are not supported"},
		{"two documents", []string{greet + greet}, 4400, "Invalid message: something follows the JSON value"},
		{"no type", []string{`{}`}, 4400, "Invalid message: unknown message type"},
		{"bogus type", []string{`{"type":"bogus"}`}, 4400, "Invalid message: unknown message type"},
		{"a server's type", []string{`{"type":"next","id":"1","payload":{}}`}, 4400, "Invalid message: unknown message type"},
		{"type is a number", []string{`{"type":1}`}, 4400, "Invalid message: type must be a string"},
		{"init payload is an array", []string{`{"type":"connection_init","payload":[]}`}, 4400, "Invalid message: payload must be an object or null"},
		{"no id", []string{greet, `{"type":"subscribe","payload":{"query":"{hello}"}}`}, 4400, "Invalid message: id must have 1 to 128 bytes"},
		{"empty id", []string{greet, `{"id":"","type":"complete"}`}, 4400, "Invalid message: id must have 1 to 128 bytes"},
		{"long id", []string{greet, `{"id":"` + strings.Repeat("1", 129) + `","type":"complete"}`}, 4400, "Invalid message: id must have 1 to 128 bytes"},
		{"id is a number", []string{greet, `{"id":1,"type":"complete"}`}, 4400, "Invalid message: id must be a string"},
		{"no payload", []string{greet, `{"id":"1","type":"subscribe"}`}, 4400, "Invalid message: query is missing"},
		{"query is a number", []string{greet, `{"id":"1","type":"subscribe","payload":{"query":1}}`}, 4400, "Invalid message: query must be a string"},
		{"duplicate id", []string{greet, fmt.Sprintf(ticks, "é"), fmt.Sprintf(ticks, "é")}, 4409, "Subscriber for é already exists"},
		{"long message", []string{long}, 1009, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := w.dial(t, nil)
			for _, message := range c.send {
				client.send("%s", message)
				if message == greet {
					client.maybeAck()
				}
			}
			client.expectClose(c.code, c.reason)
		})
	}
}

// maybeAck reads the acknowledgement of the first connection_init; the second one gets none.
func (c *client) maybeAck() {
	c.Helper()
	if !c.greeted {
		c.expect(`{"type":"connection_ack"}`)
	}
	c.greeted = true
}

func TestSocketClosesOnBinaryMessages(t *testing.T) {
	t.Parallel()
	c := setup(t).dial(t, nil)
	if err := c.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"connection_init"}`)); err != nil {
		t.Fatal(err)
	}
	c.expectClose(4400, "Invalid message: a text frame is expected")
}

func TestSocketRefusesAnnouncedGigabyteUnread(t *testing.T) {
	t.Parallel()
	c := setup(t).dial(t, nil)
	header := []byte{0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4} // text, masked, 1 GiB
	if _, err := c.NetConn().Write(header); err != nil {
		t.Fatal(err)
	}
	// A client that is busy sending must not find the connection reset: some would never look for the close frame then.
	for range 80 {
		if _, err := c.NetConn().Write(make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
	}
	c.expectClose(1009, "")
}

func TestSocketClosesWithoutSubprotocol(t *testing.T) {
	t.Parallel()
	w := setup(t)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	(&client{T: t, Conn: conn, patience: patience}).expectClose(4406, "Subprotocol not acceptable")
}

func TestUpgradeIsRefusedWithAStatus(t *testing.T) {
	t.Parallel()
	w := setup(t)
	cases := []struct {
		name   string
		header []string
		status int
	}{
		{"foreign origin", []string{"Origin", "https://evil.example"}, 403},
		{"null origin", []string{"Origin", "null"}, 403},
		{"host as a prefix", []string{"Origin", w.URL + ".evil.example"}, 403},
		{"other scheme", []string{"Origin", "ftp://" + strings.TrimPrefix(w.URL, "http://")}, 403},
		{"two origins", []string{"Origin", w.URL, "Origin", "https://evil.example"}, 403},
		{"same origin", []string{"Origin", w.URL}, 101},
		{"other subprotocol", []string{"Sec-WebSocket-Protocol", "mqtt, graphql-ws"}, 400},
		{"several subprotocols", []string{"Sec-WebSocket-Protocol", "graphql-ws, graphql-transport-ws"}, 101},
		{"other version", []string{"Sec-WebSocket-Version", "8"}, 426},
		{"bad key", []string{"Sec-WebSocket-Key", "x"}, 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := w.upgrade(t, c.header...); got != c.status {
				t.Errorf("want %d, got %d", c.status, got)
			}
		})
	}
}

// upgrade asks for a WebSocket with the given headers in place of the usual ones and returns the status.
func (w *world) upgrade(t *testing.T, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Connection":             {"Upgrade"},
		"Upgrade":                {"websocket"},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Key":      {"AAAAAAAAAAAAAAAAAAAAAA=="},
		"Sec-Websocket-Protocol": {transport.Subprotocol},
	}
	for i := 0; i+1 < len(header); i += 2 {
		if i == 0 {
			req.Header.Del(header[0])
		}
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := w.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestUpgradesBeyondTheLimitGet503(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) { ws.MaxSockets = 1 })
	c := w.join(t)
	if got := w.upgrade(t); got != 503 {
		t.Errorf("want 503, got %d", got)
	}
	c.expectNothing()
	c.Close()
	for start := time.Now(); w.upgrade(t) != 101; { // once the first has left
		if time.Since(start) > patience {
			t.Fatal("no place becomes free")
		}
	}
}

func TestInitGetsTheRequestAndGivesTheContext(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Init = func(r *http.Request, payload json.RawMessage) (context.Context, transport.Session, error) {
			if r.Header.Get("Authorization") != "Bearer x" || string(payload) != `{"a":1}` {
				return nil, transport.Session{}, fault.New(fault.Unauthenticated, "no valid credential")
			}
			return r.Context(), transport.Session{}, nil
		}
	})
	c := w.dial(t, http.Header{"Authorization": {"Bearer x"}})
	c.send(`{"type":"connection_init","payload":{"a":1}}`)
	c.expect(`{"type":"connection_ack"}`)
	c.send(ticks, "1")
	wait(t, w.began, "a subscription")
	c.Close()
	wait(t, w.ended, "the end of its context")

	c = w.dial(t, http.Header{"Authorization": {"Bearer y"}})
	c.send(`{"type":"connection_init","payload":{"a":1}}`)
	c.expectClose(4403, "no valid credential")
}

func TestErrorsOfInitShowNoInternals(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := func(err error, code int, reason string) {
		t.Helper()
		w := setup(t, func(ws *transport.WebSocket) {
			ws.Log = slog.New(slog.NewTextHandler(&log, nil))
			ws.Init = func(*http.Request, json.RawMessage) (context.Context, transport.Session, error) {
				if err == nil {
					panic("secret panic")
				}
				return nil, transport.Session{}, err
			}
		})
		c := w.dial(t, nil)
		c.send(`{"type":"connection_init"}`)
		c.expectClose(code, reason)
	}
	const internal = "something went wrong here; the request id leads to the log line"
	f(fault.Wrap(errors.New("secret cause"), fault.Forbidden, "%s", strings.Repeat("é", 100)), 4403, strings.Repeat("é", 61))
	f(fault.New(fault.Unavailable, "the database is away"), 1012, "the database is away")
	f(errors.New("secret error"), 1011, internal)
	f(nil, 1011, internal)
	if got := log.String(); !strings.Contains(got, "secret error") || !strings.Contains(got, "secret panic") {
		t.Errorf("the log says %s", got)
	}
}

func TestSocketClosesWhenItsRightsAreRevoked(t *testing.T) {
	t.Parallel()
	f := func(cause error, code int, reason string) {
		t.Helper()
		revoke := make(chan context.CancelCauseFunc, 1)
		w := setup(t, func(ws *transport.WebSocket) {
			ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
				ctx, cancel := context.WithCancelCause(r.Context())
				revoke <- cancel
				return ctx, transport.Session{}, nil
			}
		})
		c := w.join(t)
		for i := range 50 {
			c.send(ticks, fmt.Sprint(i))
			wait(t, w.began, "a subscription")
		}
		(<-revoke)(cause)
		c.expectClose(code, reason) // and no complete before it
		for range 50 {
			wait(t, w.ended, "the end of a subscription's context")
		}
	}
	f(nil, 4403, "the rights have ended")
	f(fault.New(fault.Unauthenticated, "the key was revoked"), 4403, "the key was revoked")
}

func TestOperationsBeyondTheLimitGetAnError(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) { ws.MaxOperations = 2 })
	c := w.join(t)
	const stubborn = `{"id":"%s","type":"subscribe","payload":{"query":"subscription{stubborn}"}}`
	c.send(stubborn, "1")
	c.send(ticks, "2")
	wait(t, w.began, "a subscription")
	wait(t, w.began, "a subscription")
	const refused = `{"id":"3","type":"error","payload":[{"message":"at most 2 operations can run on one socket","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`
	c.send(ticks, "3")
	c.expect(refused)
	c.send(complete, "1")
	c.send(ticks, "3")
	wait(t, w.began, "a subscription in the place of the completed one")
	c.send(complete, "2")
	c.send(complete, "3")
	c.send(hello)
	c.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
	c.expect(`{"id":"1","type":"complete"}`)
	close(w.free)
}

func TestOperationsThatDoNotReturnHoldUpTheirSocket(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, func(ws *transport.WebSocket) { ws.MaxOperations = 2 }, func(w *world) {
		const stubborn = `{"id":"1","type":"subscribe","payload":{"query":"subscription{stubborn}"}}`
		c := w.join(w.t)
		for range 2 {
			c.send(stubborn)
			<-w.began
			c.send(complete, "1")
		}
		c.send(stubborn)
		synctest.Wait()
		if len(w.began) > 0 {
			w.t.Error("a third one runs")
		}
		close(w.free)
		<-w.began
		c.expect(`{"id":"1","type":"complete"}`)
	})
}

func TestSocketThatIsHeldUpCanBeClosed(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) { ws.MaxOperations = 1 })
	c := w.join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{stubborn}"}}`)
	wait(t, w.began, "a subscription")
	c.send(complete, "1")
	c.send(hello) // and waits
	go func() { _ = w.ws.Close(t.Context(), 1001, "going away") }()
	c.expectClose(1001, "going away")
	close(w.free)
}

func TestShutdownClosesEverySocketAndWaits(t *testing.T) {
	t.Parallel()
	w := setup(t)
	clients := make([]*client, 5)
	for i := range clients {
		clients[i] = w.join(t)
		clients[i].send(ticks, "1")
		wait(t, w.began, "a subscription")
	}
	done := make(chan error, 1)
	go func() { done <- w.ws.Shutdown(context.Background()) }()
	for _, c := range clients {
		c.expectClose(1012, "the server is restarting")
		wait(t, w.ended, "the end of its context")
	}
	if err := wait(t, done, "the end of Shutdown"); err != nil {
		t.Error(err)
	}
	if got := w.upgrade(t); got != 503 {
		t.Errorf("after Shutdown: want 503, got %d", got)
	}
}

func TestCloseWaitsForResolversUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	codes := make(chan int, 1)
	w := setup(t, func(ws *transport.WebSocket) { ws.Hooks.OnDisconnect = func(code int) { codes <- code } })
	c := w.join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{stubborn}"}}`)
	wait(t, w.began, "a subscription")
	c.Close()
	wait(t, codes, "a disconnect") // only the resolver is left
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.ws.Close(ctx, 1001, "going away"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(w.free)
}

func TestCloseSendsTheCodeThatItIsGiven(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.join(t)
	done := make(chan error, 1)
	go func() { done <- w.ws.Close(context.Background(), 1001, "going away") }()
	c.expectClose(1001, "going away")
	if err := wait(t, done, "the end of Close"); err != nil {
		t.Error(err)
	}
}

func TestNothingIsDoneForAClientThatIsBeingClosed(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
			asked <- struct{}{}
			return r.Context(), transport.Session{}, nil
		}
	})
	c := w.dial(t, nil)
	c.send("bogus")
	c.send(`{"type":"connection_init"}`)
	c.expectClose(4400, "Invalid message: the request is not JSON")
	if err := w.ws.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(asked) > 0 {
		t.Error("Init was called")
	}
}

func TestHooksComeInPairs(t *testing.T) {
	t.Parallel()
	var sockets, operations, bytes atomic.Int64
	codes := make(chan int, 10)
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Hooks = transport.Hooks{
			OnConnect:    func() { sockets.Add(1) },
			OnDisconnect: func(code int) { sockets.Add(-1); codes <- code },
			OnSubscribe:  func() { operations.Add(1) },
			OnComplete:   func() { operations.Add(-1) },
			OnSend:       func(n int) { bytes.Add(int64(n)) },
		}
	})
	c := w.join(t)
	c.send(ticks, "1")
	wait(t, w.began, "a subscription")
	if sockets.Load() != 1 || operations.Load() != 1 || bytes.Load() != int64(2+len(`{"type":"connection_ack"}`)) {
		t.Errorf("%d sockets, %d operations, %d bytes", sockets.Load(), operations.Load(), bytes.Load())
	}
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "bye"), time.Now().Add(patience))
	c.expectClose(1000, "")
	if code := wait(t, codes, "a disconnect"); code != 1000 {
		t.Errorf("want 1000, got %d", code)
	}
	if err := w.ws.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sockets.Load() != 0 || operations.Load() != 0 {
		t.Errorf("%d sockets, %d operations left", sockets.Load(), operations.Load())
	}
}
