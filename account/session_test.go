package account_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/internal/fault"
)

func (d *desk) refresh(token string) answer {
	d.t.Helper()
	return d.post("/auth/refresh", object{"refreshToken": token})
}

func TestRefreshGivesNewTokensForTheOldOne(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	next := d.refresh(in.RefreshToken).expect(t, "refresh", 200, "")
	if next.RefreshToken == in.RefreshToken || next.AccessToken == in.AccessToken || next.SessionID != in.SessionID ||
		next.TokenType != "Bearer" || !next.RefreshExpiresAt.Equal(in.RefreshExpiresAt) {
		t.Errorf("got %+v after %+v", next, in)
	}
	if !d.admitted(next.AccessToken) || !d.admitted(in.AccessToken) {
		t.Error("a refresh ends an access token")
	}
	d.refresh(next.RefreshToken).expect(t, "refresh again", 200, "")
}

func TestOneOfFiftyRefreshesWins(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	for range 3 {
		var winners, losers atomic.Int64
		var next atomic.Pointer[account.Grant]
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				grant, err := d.accounts.Refresh(t.Context(), in.RefreshToken)
				switch {
				case err == nil:
					winners.Add(1)
					next.Store(&grant)
				case fault.Is(err, fault.Unauthenticated):
					losers.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if winners.Load() != 1 || losers.Load() != 49 {
			t.Fatalf("%d won and %d lost", winners.Load(), losers.Load())
		}
		in.RefreshToken = next.Load().RefreshToken
	}
	d.refresh(in.RefreshToken).expect(t, "the winner goes on", 200, "")
}

func TestReplacedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refreshes int
		after     time.Duration
		ends      bool
	}{
		"at once":                 {1, 0, false},
		"within ten seconds":      {1, 9 * time.Second, false},
		"later":                   {1, 11 * time.Second, true},
		"at once, of before that": {2, 0, true},
		"long ago":                {5, time.Hour, true},
	} {
		d := setup(t)
		in := d.person("ada@example.org")
		other := d.login("ada@example.org", goodPassword)
		last := in
		for range c.refreshes {
			last = d.refresh(last.RefreshToken).expect(t, name, 200, "")
		}
		d.pass(c.after)
		d.refresh(in.RefreshToken).expect(t, name+": the token of before", 401, "unauthenticated")
		if d.admitted(last.AccessToken) == c.ends {
			t.Errorf("%s: the access token is taken: %v", name, !c.ends)
		}
		want := 200
		if c.ends {
			want = 401
		}
		if got := d.refresh(last.RefreshToken); got.Status != want {
			t.Errorf("%s: the last token: got %d, want %d", name, got.Status, want)
		}
		if !d.admitted(other.AccessToken) {
			t.Errorf("%s: another session has ended, too", name)
		}
	}
}

func TestSessionEndsInItsTime(t *testing.T) {
	t.Parallel()
	d := setup(t)
	idle := d.person("ada@example.org")
	d.pass(13 * 24 * time.Hour)
	used := d.refresh(idle.RefreshToken).expect(t, "after 13 days", 200, "")
	d.pass(14*24*time.Hour + time.Second)
	d.refresh(used.RefreshToken).expect(t, "after 14 idle days", 401, "unauthenticated")
	if n := d.client.Session.Query().CountX(d.system()); n != 0 {
		t.Errorf("%d sessions are left", n)
	}

	in := d.login("ada@example.org", goodPassword)
	for range 3 {
		d.pass(9 * 24 * time.Hour)
		in = d.refresh(in.RefreshToken).expect(t, "after 9 days more", 200, "")
	}
	d.pass(3*24*time.Hour + time.Second)
	d.refresh(in.RefreshToken).expect(t, "after 30 days in use", 401, "unauthenticated")
}

func TestLogoutEndsItsSession(t *testing.T) {
	t.Parallel()
	d := setup(t)
	byAccess, byRefresh, replaced, other := d.person("ada@example.org"), d.login("ada@example.org", goodPassword),
		d.login("ada@example.org", goodPassword), d.login("ada@example.org", goodPassword)
	d.post("/auth/logout", "", bearer(byAccess.AccessToken)).expect(t, "by access token", 204, "")
	d.post("/auth/logout", object{"refreshToken": byRefresh.RefreshToken}).expect(t, "by refresh token", 204, "")
	d.refresh(replaced.RefreshToken).expect(t, "refresh", 200, "")
	d.post("/auth/logout", object{"refreshToken": replaced.RefreshToken}).expect(t, "by one that was replaced", 204, "")
	for _, ended := range []answer{byAccess, byRefresh, replaced} {
		d.refresh(ended.RefreshToken).expect(t, "refresh after the end", 401, "unauthenticated")
		if d.admitted(ended.AccessToken) {
			t.Error("the access token is taken after the end")
		}
	}
	if !d.admitted(other.AccessToken) {
		t.Error("another session has ended, too")
	}
	d.post("/auth/logout/everywhere", "", bearer(other.AccessToken)).expect(t, "everywhere", 204, "")
	if d.admitted(other.AccessToken) {
		t.Error("a session is left")
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	d.pass(time.Second)
	other := d.post("/auth/login", credentials("ada@example.org", goodPassword), header("User-Agent", "Firefox\u202e/1 "+strings.Repeat("x", 200)))
	d.pass(time.Second)
	own := d.login("ada@example.org", goodPassword)
	eve := d.person("eve@example.org")

	list := d.do(http.MethodGet, "/auth/sessions", nil, bearer(own.AccessToken))
	if strings.Count(list.text, `"id"`) != 3 || strings.Count(list.text, `"current":true`) != 1 ||
		!strings.HasPrefix(list.text, `[{"id":"`+own.SessionID+`"`) || !strings.Contains(list.text, `"agent":"Firefox/1 xxx`) {
		t.Errorf("got %s", list.text)
	}
	for name, path := range map[string]string{"foreign": eve.SessionID, "unknown": "1", "no number": "x"} {
		d.do(http.MethodDelete, "/auth/sessions/"+path, nil, bearer(own.AccessToken)).expect(t, name, 404, "not_found")
	}
	d.do(http.MethodDelete, "/auth/sessions/"+other.SessionID, nil, bearer(own.AccessToken)).expect(t, "end", 204, "")
	if d.admitted(other.AccessToken) || !d.admitted(own.AccessToken) || !d.admitted(eve.AccessToken) {
		t.Error("another session than the one asked for has ended")
	}
}

func TestPersonHasAHundredSessionsAtMost(t *testing.T) {
	t.Parallel()
	d := setup(t)
	first := d.person("ada@example.org")
	var second, last answer
	for i := range 100 {
		d.pass(time.Minute)
		last = d.login("ada@example.org", goodPassword)
		if i == 0 {
			second = last
		}
	}
	if d.admitted(first.AccessToken) || !d.admitted(second.AccessToken) || !d.admitted(last.AccessToken) {
		t.Error("the hundred and first log-in does not end the session that was seen longest ago")
	}
}

func TestTokenOfASessionIsGoodForItsPersonAlone(t *testing.T) {
	t.Parallel()
	d := setup(t)
	ada, eve := d.person("ada@example.org"), d.person("eve@example.org")
	p, err := d.authenticator.Authenticate(t.Context(), ada.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	q, err := d.authenticator.Authenticate(t.Context(), eve.AccessToken)
	if err != nil || p.Session == q.Session {
		t.Fatalf("got %+v and %+v, %v", p, q, err)
	}
	d.client.Session.Delete().ExecX(d.system())
	start := time.Now()
	for {
		if _, err := d.authenticator.Authenticate(t.Context(), ada.AccessToken); err != nil {
			break
		}
		if time.Since(start) > 2*time.Second {
			t.Fatal("a token goes on working after its session has ended")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(start); took > 1500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}
