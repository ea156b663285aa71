package graph_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// socket is a client of graphql-transport-ws with one subscription.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

// event is what a subscription to readings sent, or how it ended.
type event struct {
	Cursor   *string
	Offset   *int64
	CaughtUp bool
	Readings []struct {
		Kind   string
		Time   time.Time
		Value  float64
		Series struct{ ID, Metric string }
	}
	Deleted []struct {
		SeriesID string
		From, To *time.Time
	}
	code  string // of an error message
	close int    // of the socket
}

func (e event) values() (v []float64) {
	for _, r := range e.Readings {
		v = append(v, r.Value)
	}
	return v
}

// take returns the values of the next readings, so many, and the last event that brought some.
func (s *socket) take(n int) (values []float64, last event) {
	s.t.Helper()
	for len(values) < n {
		if last = s.next(); last.CaughtUp || len(last.Readings) == 0 {
			s.t.Fatalf("after %v: got %+v", values, last)
		}
		values = append(values, last.values()...)
	}
	return values, last
}

// subscribe opens a socket as somebody and subscribes to readings with these arguments.
func (w *world) subscribe(who, arguments string) *socket {
	w.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(w.t.Context(), strings.Replace(w.url, "http", "ws", 1), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	w.t.Cleanup(func() { conn.Close() })
	s := &socket{t: w.t, conn: conn}
	s.write(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + w.who[who]}})
	query := `subscription { readings(` + arguments + `) { cursor offset caughtUp deleted { seriesID from to } readings { kind time value series { id metric } } } }`
	var ack struct{ Type string }
	if err := conn.ReadJSON(&ack); err != nil || ack.Type != "connection_ack" {
		return s // next tells how it ended: the read error is sticky
	}
	s.write(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": query}})
	return s
}

func (s *socket) write(v any) {
	if err := s.conn.WriteJSON(v); err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next event, waiting at most ten seconds.
func (s *socket) next() event {
	s.t.Helper()
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		err := s.conn.ReadJSON(&m)
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return event{close: closed.Code}
		case err != nil:
			s.t.Fatal(err)
		}
		switch m.Type {
		case "next":
			var p struct {
				Data struct{ Readings event }
			}
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				s.t.Fatalf("%v in %s", err, m.Payload)
			}
			return p.Data.Readings
		case "error":
			var p []struct{ Extensions struct{ Code string } }
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				s.t.Fatalf("%v in %s", err, m.Payload)
			}
			return event{code: p[0].Extensions.Code}
		case "complete":
			return event{code: "complete"}
		}
	}
}

// Queries and mutations go over a socket as well as over HTTP.
func TestSocketAnswersQueriesAndMutations(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	s := w.subscribe("editor", `series: {}`)
	s.next()
	for name, query := range map[string]string{
		"query":    `{ latest(series: {}) { value } }`,
		"mutation": `mutation { updateDevice(id: "` + id(w.ours.device) + `", input: {description: "new"}) { description } }`,
	} {
		s.write(map[string]any{"type": "subscribe", "id": name, "payload": map[string]string{"query": query}})
		for _, want := range []string{"next", "complete"} {
			var m struct {
				ID, Type string
				Payload  struct{ Data map[string]any }
			}
			_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if err := s.conn.ReadJSON(&m); err != nil {
				t.Fatal(err)
			}
			if m.ID != name || m.Type != want || want == "next" && m.Payload.Data == nil {
				t.Fatalf("%s: got %+v, want %s", name, m, want)
			}
		}
	}
}
