package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/client"
)

// token is a credential whose tokens are numbered and last for so long.
func token(life time.Duration) client.Credential {
	var mu sync.Mutex
	n := 0
	return func(context.Context) (client.Token, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return client.Token{Text: fmt.Sprint(n), Expires: time.Now().Add(life)}, nil
	}
}

func TestTokenIsRenewedOnTheOpenConnection(t *testing.T) {
	t.Parallel()
	c := serveTo(t, token(1200*time.Millisecond), func(p *peer) {
		p.accept()
		m := p.hear()
		p.say(`{"type":"pong","payload":{"expires":null}}`)
		p.next(fmt.Sprintf(`{"x":%q}`, m.Type+" "+m.Payload.Authorization))
		p.hear()
	})
	events, err := follow(t, c, resuming, 1)
	if err != nil || string(events[0].Data) != `{"x":"ping Bearer 2"}` {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestExpiredTokenIsReplaced(t *testing.T) {
	t.Parallel()
	c := serveTo(t, token(time.Hour), func(p *peer) {
		p.accept()
		p.close(4403, "the credential has expired")
	}, func(p *peer) {
		p.hear()
		p.close(4403, "no valid credential") // before it was accepted
	})
	var closed *client.CloseError
	if _, err := follow(t, c, resuming, 0); !errors.As(err, &closed) || closed.Reason != "no valid credential" {
		t.Errorf("got %v", err)
	}
}

func TestLoginIsSharedUntilTheTokenNearsItsEnd(t *testing.T) {
	t.Parallel()
	var logins, life atomic.Int64
	life.Store(int64(time.Hour))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var given struct{ Email, Password string }
		if err := json.NewDecoder(r.Body).Decode(&given); err != nil || r.URL.Path != "/auth/login" || given.Email != "ada@example.org" || given.Password != "secret" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"detail":"wrong e-mail or password"}`))
			return
		}
		theirs := time.Now().Add(-24 * time.Hour).Truncate(time.Second) // a clock that is late
		w.Header().Set("Date", theirs.UTC().Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(map[string]any{
			"accessToken": fmt.Sprint(logins.Add(1)), "expiresAt": theirs.Add(time.Duration(life.Load())),
		})
	}))
	t.Cleanup(s.Close)

	ada := client.Login(s.URL+"/", "ada@example.org", "secret")
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			if got, err := ada(t.Context()); err != nil || got.Text != "1" || time.Until(got.Expires) < 59*time.Minute {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	asking.Wait()

	life.Store(0)
	short := client.Login(s.URL, "ada@example.org", "secret")
	for _, want := range []string{"2", "3"} {
		if got, err := short(t.Context()); err != nil || got.Text != want {
			t.Errorf("got %+v, %v, want %s", got, err, want)
		}
	}

	_, err := client.Login(s.URL, "ada@example.org", "guess")(t.Context())
	if want := "log in: the server answered 401 Unauthorized: wrong e-mail or password"; err == nil || err.Error() != want || !client.Final(err) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoginRenewsItsTokenByTheRefreshTokenWhileItCan(t *testing.T) {
	t.Parallel()
	var asked []string
	refuse := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var given struct{ Email, RefreshToken string }
		_ = json.NewDecoder(r.Body).Decode(&given)
		asked = append(asked, r.URL.Path+" "+given.Email+given.RefreshToken)
		if refuse && given.RefreshToken != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"accessToken": fmt.Sprint(len(asked)), "expiresAt": time.Now().Add(-time.Minute), "refreshToken": fmt.Sprint("r", len(asked)),
		})
	}))
	t.Cleanup(s.Close)
	ada := client.Login(s.URL, "ada@example.org", "secret")
	for i, want := range []string{"1", "2", "3", "5", "6"} {
		refuse = i == 3 // the session has ended meanwhile
		if got, err := ada(t.Context()); err != nil || got.Text != want {
			t.Errorf("got %+v, %v, want %s", got, err, want)
		}
	}
	want := []string{"/auth/login ada@example.org", "/auth/refresh r1", "/auth/refresh r2", "/auth/refresh r3", "/auth/login ada@example.org", "/auth/refresh r5"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

func TestLoginGoesByTheClientThatItIsGiven(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"accessToken": "1", "expiresAt": time.Now().Add(time.Hour)})
	}))
	t.Cleanup(s.Close)
	if got, err := client.LoginBy(s.Client(), s.URL, "ada@example.org", "secret")(t.Context()); err != nil || got.Text != "1" {
		t.Errorf("got %+v, %v", got, err)
	}
}
