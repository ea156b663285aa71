package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// desk is an authenticator with a project's key, that takes ten wrong credentials a minute from an address.
type desk struct {
	t             *testing.T
	authenticator *auth.Authenticator
	tokens        *auth.Tokens
	project       int64
	make          func() string // another key of the project
}

func newDesk(t *testing.T) desk {
	t.Helper()
	client := store.Client(testdb.New(t))
	t.Cleanup(func() { _ = client.Close() })
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	ctx := auth.NewContext(t.Context(), auth.System())
	d := desk{t: t, authenticator: auth.NewAuthenticator(client, tokens), tokens: tokens, project: client.Project.Create().SetName("p").SaveX(ctx).ID}
	d.make = func() string {
		_, secret, err := auth.CreateKey(ctx, client, auth.KeySpec{Project: d.project, Scopes: auth.Ingest})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	if err := d.authenticator.LimitGuesses(10); err != nil {
		t.Fatal(err)
	}
	return d
}

// send returns the code of the fault that a credential from an address gets, "" for none.
func (d desk) send(from, credential string) fault.Code {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.RemoteAddr = from
	r.Header.Set("Authorization", "Bearer "+credential)
	_, err := d.authenticator.Request(r)
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	if (f.Code == fault.TooMany) != (f.RetryAfter > 0) {
		d.t.Errorf("%s asks to wait for %v", f.Code, f.RetryAfter)
	}
	return f.Code
}

func TestWhoGuessesIsToldToWaitAndNobodyElseIs(t *testing.T) {
	t.Parallel()
	const attacker, elsewhere = "192.0.2.7:1000", "192.0.2.8:1000"
	for name, wrong := range map[string]func() string{
		"unknown keys":   func() string { return auth.GenerateKey(auth.DeviceKey).Secret },
		"mistyped keys":  func() string { return auth.GenerateKey(auth.DeviceKey).Secret + "x" },
		"made-up tokens": func() string { return "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			seen, unseen := d.make(), d.make()
			if code := d.send(attacker, seen); code != "" {
				t.Fatalf("a right key gets %s", code)
			}
			refused := 0
			for i := range 100 {
				switch code := d.send(attacker, wrong()); code {
				case fault.TooMany:
					refused++
				case fault.Unauthenticated:
					if i >= 15 { // some of them are earned meanwhile
						t.Errorf("attempt %d is taken", i)
					}
				default:
					t.Fatalf("attempt %d gets %q", i, code)
				}
			}
			if refused < 85 {
				t.Errorf("%d of 100 were refused", refused)
			}
			d.authenticator.Forget() // as after the second for which a key is remembered
			if code := d.send(attacker, seen); code != "" {
				t.Errorf("a right key that was here before gets %s at the attacker's address", code)
			}
			if code := d.send(elsewhere, unseen); code != "" {
				t.Errorf("a right key elsewhere gets %s", code)
			}
			token, _, err := d.tokens.Issue(1)
			if err != nil {
				t.Fatal(err)
			}
			if code := d.send(attacker, token); code != "" {
				t.Errorf("a right token at the attacker's address gets %s", code)
			}
		})
	}
}

func TestUnknownKeysAreNotLookedUpForWhoGuesses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const attacker = "192.0.2.7:1000"
	for range 20 {
		d.send(attacker, "rd_dev_nonsense")
	}
	if code := d.send(attacker, d.make()); code != fault.TooMany {
		t.Errorf("a key that was never seen gets %q, so it was looked up", code)
	}
}

func TestWithoutALimitGuessesAreAnswered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.authenticator.LimitGuesses(0); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if code := d.send("192.0.2.7:1000", "rd_dev_nonsense"); code != fault.Unauthenticated {
			t.Fatalf("got %q", code)
		}
	}
	if err := d.authenticator.LimitGuesses(-1); err == nil {
		t.Error("a negative limit is taken")
	}
}
