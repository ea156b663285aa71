package graph_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
)

// login begins a session of somebody, whose access token is known as name, and returns it.
func (w *world) login(name, who string) *db.Session {
	w.t.Helper()
	token, now := auth.NewRefresh(), time.Now()
	s := w.client.Session.Create().SetUserID(w.users[who]).SetFamily(token.Family[:]).SetHash(token.Hash[:]).
		SetRotatedAt(now).SetSeenAt(now).SetExpiresAt(now.Add(time.Hour)).SaveX(auth.NewContext(w.t.Context(), auth.System()))
	access, _, err := w.tokens.IssueFor(w.users[who], s.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	w.who[name] = access
	return s
}

func (w *world) logout(s *db.Session) {
	w.client.Session.DeleteOne(s).ExecX(auth.NewContext(w.t.Context(), auth.System()))
}

func TestSocketsEndWithTheirSession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	phone, laptop := w.login("phone", "viewer"), w.login("laptop", "viewer")
	onPhone, subscribed, onLaptop := w.connect("phone"), w.connect("phone"), w.connect("laptop")
	subscribed.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{
		"query": `subscription { readings(project: ` + id(w.ours.project) + `, series: {}) { caughtUp } }`,
	}})
	subscribed.hear("next")
	w.logout(phone)
	onPhone.wantEnd("session has ended")
	subscribed.wantEnd("session has ended")
	onLaptop.wantOpen()
	if a := w.ask("phone", `{ __typename }`); a.code() != "UNAUTHENTICATED" {
		t.Errorf("after the end: %s", a.Body)
	}
	w.logout(laptop)
	onLaptop.wantEnd("session has ended")
}

// What is deleted past ent is told by nobody: the sweep finds it, once something is asked for.
func TestSweepFindsSessionsThatEndedUntold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.login("phone", "viewer")
	s := w.connect("phone")
	s.wantOpen()
	if _, err := w.pool.Exec(t.Context(), `delete from sessions`); err != nil {
		t.Fatal(err)
	}
	s.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": "{ __typename }"}})
	s.hear("next")
	s.hear("complete")
	s.wantEnd("session has ended")
}

func TestRenewedSocketEndsWithTheSessionOfTheLastToken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first, second := w.login("first", "viewer"), w.login("second", "viewer")
	s := w.connect("first")
	s.say(map[string]any{"type": "ping", "payload": map[string]string{"authorization": "Bearer " + w.who["second"]}})
	s.hear("pong")
	w.logout(first)
	s.wantOpen()
	w.logout(second)
	s.wantEnd("session has ended")
}

// It asks for nothing, so that no sweep looks.
func TestIdleSocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	session := w.login("phone", "viewer")
	s := w.connect("phone")
	w.logout(session)
	s.wantEnd("session has ended")
}

func TestRenewedSocketEndsTheOtherSessionsAndNotItsOwn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.login("first", "viewer")
	w.login("second", "viewer")
	s := w.connect("first")
	s.say(map[string]any{"type": "ping", "payload": map[string]string{"authorization": "Bearer " + w.who["second"]}})
	s.hear("pong")
	s.say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": "mutation { endOtherSessions }"}})
	s.hear("next")
	s.hear("complete")
	if r := s.within(500 * time.Millisecond); r.code != "nothing" {
		t.Errorf("got %s %s", r.code, r.raw)
	}
	if a := w.ask("second", `{ __typename }`); a.code() != ok {
		t.Errorf("the session of the last token: %s", a.Body)
	}
}
