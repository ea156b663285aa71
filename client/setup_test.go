package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/client"
)

// said is what a client says.
type said struct {
	ID      string
	Type    string
	Payload struct {
		Authorization string
		Query         string
		Variables     map[string]any
	}
}

// peer is a server's end of a connection, which a test plays.
type peer struct {
	*websocket.Conn
	t *testing.T
}

// hear returns the next thing that the client says; an empty one when it has left.
func (p *peer) hear() (m said) {
	if err := p.ReadJSON(&m); err != nil {
		return said{}
	}
	return m
}

func (p *peer) say(text string) {
	_ = p.WriteMessage(websocket.TextMessage, []byte(text)) // who has left does not hear it
}

// next sends an event.
func (p *peer) next(data string) { p.say(`{"id":"1","type":"next","payload":{"data":` + data + `}}`) }

// accept lets the client in and returns what it subscribes to.
func (p *peer) accept() said {
	p.t.Helper()
	if m := p.hear(); m.Type != "connection_init" {
		p.t.Errorf("the client begins with %+v", m)
	}
	p.say(`{"type":"connection_ack"}`)
	m := p.hear()
	if m.Type != "subscribe" || m.ID == "" {
		p.t.Errorf("after its acceptance the client says %+v", m)
	}
	return m
}

func (p *peer) close(code int, reason string) {
	_ = p.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
	p.hear() // so that it has arrived
}

// serve returns a client of a server that plays a connection after the other: the first connection the first of them, and the last
// of them all others.
func serve(t *testing.T, plays ...func(*peer)) *client.Client {
	t.Helper()
	return serveTo(t, client.Key("rd_prj_x"), plays...)
}

// serveTo is serve for a client with another credential.
func serveTo(t *testing.T, credential client.Credential, plays ...func(*peer)) *client.Client {
	t.Helper()
	turns := make(chan func(*peer), len(plays))
	for _, play := range plays {
		turns <- play
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}}
	return answer(t, credential, func(w http.ResponseWriter, r *http.Request) {
		play := plays[len(plays)-1]
		select {
		case play = <-turns:
		default:
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		play(&peer{conn, t})
	})
}

// answer returns a client of a server that answers so.
func answer(t *testing.T, credential client.Credential, how http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(how)
	t.Cleanup(s.Close)
	return connect(t, s.URL, credential)
}

func connect(t *testing.T, url string, credential client.Credential) *client.Client {
	t.Helper()
	c, err := client.New(url, credential)
	if err != nil {
		t.Fatal(err)
	}
	c.Backoff = func(int) time.Duration { return time.Millisecond }
	return c
}

// within ends what takes too long.
func within(t *testing.T) context.Context {
	t.Helper()
	limit := 3 * time.Minute // a busy machine under the race detector is slow
	if *full {
		limit = 25 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// follow takes the events of a subscription until it ends, or until there are so many.
func follow(t *testing.T, c *client.Client, r client.Request, most int) (all []client.Event, err error) {
	t.Helper()
	for e, err := range c.Subscribe(within(t), r) {
		if err != nil {
			return all, err
		}
		if all = append(all, e); len(all) == most {
			break
		}
	}
	return all, nil
}

// resuming is an operation as the documentation wants it.
var resuming = client.Request{
	Query:     `subscription ($from: Time, $after: Cursor) { readings(series: {}, from: $from, after: $after) { cursor } }`,
	Variables: map[string]any{"from": "-1h", "other": 1.0},
}
