package account_test

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Somebody else knows the password, has asked for another address, and waits to follow the link.
func TestNewPasswordEndsWhatWasAskedForWithTheOldOne(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	d.post("/auth/email", object{"password": goodPassword, "email": "thief@example.net"}, bearer(in.AccessToken)).expect(t, "change", 202, "")
	_, token := d.letter("thief@example.net", emailSubject)
	d.post("/auth/password", object{"old": goodPassword, "new": newPassword}, bearer(in.AccessToken)).expect(t, "a new password", 204, "")
	d.post("/auth/verify", object{"token": token}).expect(t, "the link of before", 400, "bad_request")
	d.login("ada@example.org", newPassword)
}

func TestNoSessionOfTheOldPasswordOutlivesTheNewOne(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	var mu sync.Mutex
	var begun []string
	var stop atomic.Bool
	var guessing sync.WaitGroup
	for range 3 {
		guessing.Go(func() {
			for !stop.Load() {
				if a := d.post("/auth/login", credentials("ada@example.org", goodPassword)); a.Status == 200 {
					mu.Lock()
					begun = append(begun, a.RefreshToken)
					mu.Unlock()
				} else if a.Status == 401 {
					return // the new password holds
				}
			}
		})
	}
	d.post("/auth/password", object{"old": goodPassword, "new": newPassword}, bearer(in.AccessToken)).expect(t, "a new password", 204, "")
	stop.Store(true)
	guessing.Wait()
	for _, token := range begun {
		if a := d.post("/auth/refresh", object{"refreshToken": token}); a.Status == 200 {
			t.Fatal("a session that was begun with the old password goes on")
		}
	}
}

func TestAnotherSiteLogsNobodyOut(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	elsewhere := header("Sec-Fetch-Site", "cross-site")
	if a := d.post("/auth/logout", object{"refreshToken": "none"}, elsewhere); len(a.cookies) != 0 {
		t.Errorf("another site's page has cookies set: %v", a.cookies)
	}
	in := d.login("ada@example.org", goodPassword)
	d.post("/auth/logout", object{"refreshToken": "none"}, bearer(in.AccessToken)).expect(t, "a token of nothing, and a good header", 204, "")
	d.authenticator.Forget()
	if d.admitted(in.AccessToken) {
		t.Error("the session of the header goes on")
	}
}

// Somebody else has registered the address, and its owner follows the link.
func TestOwnerOfAMailboxOpensNobodyElsesAccount(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.post("/auth/register", credentials("ada@example.org", "the password of a squatter")).expect(t, "the squatter", 202, "")
	_, token := d.letter("ada@example.org", verifySubject)
	d.post("/auth/register", credentials("ada@example.org", goodPassword)).expect(t, "the owner", 202, "")
	d.post("/auth/verify", object{"token": token, "password": goodPassword}).expect(t, "the link of the squatter's", 401, "unauthenticated")
	d.post("/auth/login", credentials("ada@example.org", "the password of a squatter")).expect(t, "the squatter", 403, "forbidden")
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 202, "")
	_, reset := d.letter("ada@example.org", resetSubject)
	d.post("/auth/password/reset", object{"token": reset, "password": goodPassword}).expect(t, "reset", 204, "")
	d.login("ada@example.org", goodPassword)
	d.post("/auth/login", credentials("ada@example.org", "the password of a squatter")).expect(t, "the squatter, afterwards", 401, "unauthenticated")
}
