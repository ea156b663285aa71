package account_test

import (
	"strings"
	"testing"
	"time"
)

func TestForgottenPasswordIsSetByMail(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	known := d.post("/auth/password/forgot", object{"email": "ADA@example.org"}).expect(t, "forgot", 202, "")
	unknown := d.post("/auth/password/forgot", object{"email": "eve@example.org"}).expect(t, "forgot, unknown", 202, "")
	if known.text != unknown.text || d.jobs.Load() != 2 {
		t.Errorf("the answers are %q and %q, of %d jobs", known.text, unknown.text, d.jobs.Load())
	}
	kind, token := d.letter("ada@example.org", resetSubject)
	if n := len(d.box.Messages()); kind != "reset" || n != 1 {
		t.Errorf("%d letters, the link is of kind %s", n, kind)
	}
	d.post("/auth/verify", object{"token": token}).expect(t, "a link of another kind", 400, "bad_request")
	d.post("/auth/password/reset", object{"token": token, "password": "short"}).expect(t, "a short password", 422, "invalid")
	statuses, _ := d.atOnce(5, func() answer {
		return d.post("/auth/password/reset", object{"token": token, "password": newPassword})
	})
	if statuses[204] != 1 || statuses[400] != 4 {
		t.Errorf("a link was followed five times: %v", statuses)
	}
	if d.admitted(in.AccessToken) {
		t.Error("a session outlives its password")
	}
	d.post("/auth/login", credentials("ada@example.org", goodPassword)).expect(t, "the old password", 401, "unauthenticated")
	d.login("ada@example.org", newPassword)
}

func TestResetVerifiesTheAddress(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.post("/auth/register", credentials("ada@example.org", goodPassword)).expect(t, "register", 202, "")
	_, verify := d.letter("ada@example.org", verifySubject)
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 202, "")
	_, token := d.letter("ada@example.org", resetSubject)
	d.post("/auth/password/reset", object{"token": token, "password": newPassword}).expect(t, "reset", 204, "")
	d.login("ada@example.org", newPassword)
	d.post("/auth/verify", object{"token": verify, "password": goodPassword}).expect(t, "the link of before", 400, "bad_request")
}

func TestLinksEndInTheirTime(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.post("/auth/register", credentials("ada@example.org", goodPassword)).expect(t, "register", 202, "")
	_, first := d.letter("ada@example.org", verifySubject)
	d.pass(23 * time.Hour)
	d.post("/auth/verify/resend", object{"email": "ada@example.org"}).expect(t, "resend", 202, "")
	_, second := d.letter("ada@example.org", verifySubject)
	d.post("/auth/verify", object{"token": first, "password": goodPassword}).expect(t, "a link that was replaced", 400, "bad_request")
	d.pass(24*time.Hour + time.Second)
	d.post("/auth/verify", object{"token": second, "password": goodPassword}).expect(t, "a link after 24 hours", 400, "bad_request")
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 202, "")
	_, reset := d.letter("ada@example.org", resetSubject)
	d.pass(time.Hour + time.Second)
	d.post("/auth/password/reset", object{"token": reset, "password": newPassword}).expect(t, "a link after an hour", 400, "bad_request")
}

func TestTokensOfLinksAreNotStored(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 202, "")
	_, token := d.letter("ada@example.org", resetSubject)
	var row string
	if err := d.pool.QueryRow(t.Context(), `select c::text from challenges c`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(row, token) || len(token) < 26 {
		t.Errorf("the token %s is stored: %s", token, row)
	}
}

func TestChangedPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	d := setup(t)
	here, there := d.person("ada@example.org"), d.login("ada@example.org", goodPassword)
	change := func(old, new string) answer {
		return d.post("/auth/password", object{"old": old, "new": new}, bearer(here.AccessToken))
	}
	change(newPassword, newPassword).expect(t, "a wrong password", 401, "unauthenticated")
	change(goodPassword, "short").expect(t, "a short one", 422, "invalid")
	if !d.admitted(there.AccessToken) {
		t.Error("what was refused ends sessions")
	}
	change(goodPassword, newPassword).expect(t, "change", 204, "")
	if d.admitted(there.AccessToken) || !d.admitted(here.AccessToken) {
		t.Error("not the other sessions have ended, but this one")
	}
	d.post("/auth/login", credentials("ada@example.org", goodPassword)).expect(t, "the old password", 401, "unauthenticated")
	d.login("ada@example.org", newPassword)
}
