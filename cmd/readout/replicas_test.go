package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/testdb"
)

// pair is two servers on one database, and a key of a project.
type pair struct {
	t        *testing.T
	database string // its URL
	a, b     *program
	token    string // of the project's owner
	project  string
	key      string
}

func newPair(t *testing.T) *pair {
	t.Helper()
	url := testdb.URL(t)
	variables := []string{"READOUT_DATABASE_URL=" + url, "READOUT_JWT_SECRET=" + jwtSecret, packOften}
	p := &pair{t: t, database: url, a: serve(t, "127.0.0.1:0", dataDir(t), variables...), b: serve(t, "127.0.0.1:0", dataDir(t), variables...)}
	token := login(t, p.a.url, "ada@example.org", true, "correct horse 42 staple")
	var made struct {
		Data struct{ CreateProject struct{ ID string } }
	}
	p.ask(p.a, token, `mutation { createProject(input: {name: "Two"}) { id } }`, &made)
	var key struct {
		Data struct{ CreateKey struct{ Secret string } }
	}
	p.ask(p.b, token, fmt.Sprintf(`mutation { createKey(input: {projectID: %q, scopes: [INGEST, READ, ADMIN]}) { secret } }`,
		made.Data.CreateProject.ID), &key)
	p.token, p.project, p.key = token, made.Data.CreateProject.ID, key.Data.CreateKey.Secret
	return p
}

func (p *pair) ask(server *program, credential, query string, into any) {
	p.t.Helper()
	status, text := post(p.t, server.url+"/graphql", credential, map[string]string{"query": query}, into)
	if status != http.StatusOK || strings.Contains(text, `"errors"`) {
		p.t.Fatalf("%s: %d %s", query, status, text)
	}
}

// send stores a reading of the series s at a second since 2026.
func (p *pair) send(server *program, second int, value float64) {
	p.t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC).UnixMilli()
	status, text := post(p.t, server.url+"/v1/readings", p.key,
		map[string]any{"device": "d", "metric": "s", "time": at, "value": value}, nil)
	if status != http.StatusOK {
		p.t.Fatalf("send: %d %s", status, text)
	}
}

// values returns what the series s has.
func (p *pair) values(server *program) (values []float64) {
	p.t.Helper()
	var answer struct {
		Data struct {
			Readings struct{ Nodes []struct{ Value float64 } }
		}
	}
	p.ask(server, p.key, `{ readings(series: {metric: "s"}, first: 1000) { nodes { value } } }`, &answer)
	for _, n := range answer.Data.Readings.Nodes {
		values = append(values, n.Value)
	}
	return values
}

// series returns the id of the one series that there is.
func (p *pair) series(server *program) string {
	p.t.Helper()
	var answer struct {
		Data struct {
			Series struct {
				Edges []struct{ Node struct{ ID string } }
			}
		}
	}
	p.ask(server, p.key, `{ series { edges { node { id } } } }`, &answer)
	if len(answer.Data.Series.Edges) != 1 {
		p.t.Fatalf("there are %d series", len(answer.Data.Series.Edges))
	}
	return answer.Data.Series.Edges[0].Node.ID
}

// What is acknowledged after a series was deleted or has another unit goes to the series as it is then, though the server
// that takes it knew another.
func TestServersAgreeOnWhatTheSeriesAre(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for i := range 20 {
		p.send(p.b, i, float64(i))
		p.ask(p.a, p.key, fmt.Sprintf(`mutation { deleteSeries(id: %q) }`, p.series(p.a)), nil)
		p.send(p.b, i, float64(-i))
		if got := p.values(p.a); fmt.Sprint(got) != fmt.Sprintf("[%d]", -i) {
			t.Fatalf("after the deletion %d was sent and %v is there", -i, got)
		}
		p.ask(p.a, p.key, fmt.Sprintf(`mutation { updateSeries(id: %q, input: {unit: "u%d"}) { id } }`, p.series(p.a), i), nil)
		status, text := post(t, p.b.url+"/v1/readings", p.key, map[string]any{"device": "d", "metric": "s", "value": 1, "unit": fmt.Sprint("u", i)}, nil)
		if status != http.StatusOK {
			t.Fatalf("a reading in the series' new unit: %d %s", status, text)
		}
		p.ask(p.a, p.key, fmt.Sprintf(`mutation { deleteSeries(id: %q) }`, p.series(p.a)), nil)
	}
}

func TestWhatOneServerHasStoredTheOtherAnswers(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	servers := []*program{p.a, p.b}
	const sent = 200
	for i := range sent {
		p.send(servers[i%2], i, float64(i))
		if n := len(p.values(servers[1-i%2])); n != i+1 {
			t.Fatalf("after %d readings the other server answers %d", i+1, n)
		}
	}
	p.ask(p.a, p.key, fmt.Sprintf(`mutation { deleteReadings(series: %q, range: {to: "2026-01-01T00:03:10Z"}) { id } }`,
		p.series(p.b)), nil)
	if got := p.values(p.b); fmt.Sprint(got) != "[190 191 192 193 194 195 196 197 198 199]" {
		t.Errorf("after a deletion by the one server the other answers %v", got)
	}
	p.a.kill()
	p.send(p.b, sent, sent)
	if n := len(p.values(p.b)); n != 11 {
		t.Errorf("the server that is left has %d readings, want 11", n)
	}
}

// The subscriber is woken by the other server; half of the waits may take no longer than people notice.
func TestSubscriberSeesWhatTheOtherServerStores(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.send(p.a, 0, 0)
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, _, err := dialer.DialContext(t.Context(), "ws"+p.b.url[len("http"):]+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	type message struct {
		ID      string         `json:"id,omitempty"`
		Type    string         `json:"type"`
		Payload map[string]any `json:"payload,omitempty"`
	}
	say := func(m message) {
		t.Helper()
		if err := conn.WriteJSON(m); err != nil {
			t.Fatal(err)
		}
	}
	hear := func() (m message) {
		t.Helper()
		for m.Type != "next" && m.Type != "connection_ack" {
			if err := conn.ReadJSON(&m); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	say(message{Type: "connection_init", Payload: map[string]any{"authorization": "Bearer " + p.key}})
	hear()
	say(message{ID: "1", Type: "subscribe", Payload: map[string]any{
		"query": `subscription { readings(series: {metric: "s"}) { caughtUp readings { value } } }`,
	}})
	hear()

	const events = 20
	var slow int
	for i := range events {
		p.send(p.a, 1+i, float64(i))
		stored := time.Now()
		if hear(); time.Since(stored) > 200*time.Millisecond {
			slow++
		}
	}
	if slow > events/2 {
		t.Errorf("%d of %d readings came later than 200 ms after their answer", slow, events)
	}
}
