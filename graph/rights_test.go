package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/entity"
)

// connect opens a socket as somebody, and no more.
func (w *world) connect(who string) *liveClient {
	w.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(w.t.Context(), strings.Replace(w.url, "http", "ws", 1), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	w.t.Cleanup(func() { conn.Close() })
	c := &liveClient{w.t, conn}
	c.say(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + w.who[who]}})
	c.hear("connection_ack")
	return c
}

func (c *liveClient) say(message map[string]any) {
	c.t.Helper()
	if err := c.conn.WriteJSON(message); err != nil {
		c.t.Fatal(err)
	}
}

// hear wants the next message to be of a type.
func (c *liveClient) hear(typ string) map[string]any {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var m map[string]any
	if err := c.conn.ReadJSON(&m); err != nil || m["type"] != typ {
		c.t.Fatalf("heard %v, %v; want %s", m, err, typ)
	}
	return m
}

// wantEnd wants the socket to be closed with 4403 within two seconds, for a reason in these words, and nothing to come before.
func (c *liveClient) wantEnd(reason string) {
	c.t.Helper()
	began := time.Now()
	if r := c.within(10 * time.Second); r.code != "4403" || !strings.Contains(r.raw, reason) || time.Since(began) > 2*time.Second {
		c.t.Errorf("after %v: %s %q, want close 4403 within 2 s: %s", time.Since(began), r.code, r.raw, reason)
	}
}

func (c *liveClient) wantOpen() {
	c.t.Helper()
	c.say(map[string]any{"type": "subscribe", "id": "still", "payload": map[string]string{"query": "{ __typename }"}})
	c.hear("next")
	c.hear("complete")
}

// Nothing is sent to these sockets, and they say nothing: that their rights end is for the server to tell.
func TestIdleSocketsEndWithTheirRights(t *testing.T) {
	t.Parallel()
	readings := func(w *world) string {
		return `subscription { readings(project: ` + id(w.ours.project) + `, series: {}) { caughtUp } }`
	}
	for name, c := range map[string]struct {
		who    string
		reason string
		query  func(*world) string // what is subscribed to; nil: nothing
		end    func(*world) string // a mutation of the owner
	}{
		"a key is revoked":          {"projectKey", "the key was revoked", nil, func(w *world) string { return `deleteKey(id: ` + id(w.keys["projectKey"]) + `)` }},
		"the key of a subscription": {"projectKey", "the key was revoked", readings, func(w *world) string { return `deleteKey(id: ` + id(w.keys["projectKey"]) + `)` }},
		"its device is deleted":     {"deviceKey", "the key was revoked", nil, func(w *world) string { return `deleteDevice(id: ` + id(w.ours.device) + `)` }},
		"its project is deleted":    {"projectKey", "the key was revoked", nil, func(w *world) string { return `deleteProject(id: ` + id(w.ours.project) + `)` }},
		"a member is removed":       {"viewer", "not a member of project", readings, func(w *world) string { return `deleteMember(id: ` + id(w.ours.member) + `)` }},
		"their project is deleted":  {"viewer", "not a member of project", readings, func(w *world) string { return `deleteProject(id: ` + id(w.ours.project) + `)` }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			s, bystander := w.connect(c.who), w.connect("adminKey")
			if strings.Contains(name, "project is deleted") {
				bystander = w.connect("stranger")
			}
			if c.query != nil {
				s.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": c.query(w)}})
				s.hear("next")
			}
			if a := w.ask("owner", "mutation { "+c.end(w)+" }"); a.code() != ok {
				t.Fatal(a.Body)
			}
			s.wantEnd(c.reason)
			bystander.wantOpen()
		})
	}
}

func TestSocketOfADeletedAccountEnds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.connect("viewer")
	w.client.User.DeleteOneID(w.users["viewer"]).ExecX(auth.NewContext(t.Context(), auth.System()))
	s.wantEnd("account")
}

// A person who is not subscribed to anything of the project stays connected: there may be others.
func TestSocketOutlivesAMembershipThatItMakesNoUseOf(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.connect("viewer")
	w.ask("owner", `mutation { deleteMember(id: `+id(w.ours.member)+`) }`)
	if r := s.within(500 * time.Millisecond); r.code != "nothing" {
		t.Errorf("got %s %s", r.code, r.raw)
	}
}

func TestRightsThatEndUntoldEndToo(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(w *world){
		"it is said that something was missed": func(w *world) { w.entities.Publish(entity.MissedAll()) },
		"or of the project alone":              func(w *world) { w.entities.Publish(entity.MissedIn(w.ours.project)) },
		"something is sent":                    func(w *world) { w.send(w.ours.series, 1); w.send(w.ours.series, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			s := w.connect("projectKey")
			s.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{
				"query": `subscription { readings(series: {}) { caughtUp } }`,
			}})
			s.hear("next")
			time.Sleep(1500 * time.Millisecond) // the right is not new any more
			if _, err := w.pool.Exec(t.Context(), `delete from keys where id = $1`, w.keys["projectKey"]); err != nil {
				t.Fatal(err)
			}
			how(w)
			for began := time.Now(); ; {
				r := s.within(10 * time.Second)
				if time.Since(began) > 2*time.Second {
					t.Fatalf("after %v: %s %s, want close 4403 within 2 s", time.Since(began), r.code, r.raw)
				}
				if r.code == "4403" {
					break
				}
			}
		})
	}
}

// The answer to a mutation by which somebody gives up his own right still arrives.
func TestWhoRevokesHisOwnKeyIsAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.connect("adminKey")
	s.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{
		"query": fmt.Sprintf(`mutation { deleteKey(id: %d) }`, w.keys["adminKey"]),
	}})
	s.hear("next")
	s.hear("complete")
	s.wantEnd("the key was revoked")
}

func TestSocketLastsAsLongAsItsNewestToken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.connect("viewer")
	renew := func(who string) {
		s.say(map[string]any{"type": "ping", "payload": map[string]string{"authorization": "Bearer " + w.who[who]}})
	}
	renew("viewer")
	payload, _ := s.hear("pong")["payload"].(map[string]any)
	expires, err := time.Parse(time.RFC3339Nano, text(payload["expires"]))
	if left := time.Until(expires); err != nil || left < 10*time.Minute {
		t.Errorf("the rights last %v: %v", left, payload)
	}
	s.wantOpen()
	renew("editor")
	if r := s.next(); r.code != "4403" {
		t.Errorf("with somebody else's token: %s %s", r.code, r.raw)
	}
}
