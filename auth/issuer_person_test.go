package auth_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/forge"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestForeignTokensOpenTheAccountOfAVerifiedAddress(t *testing.T) {
	t.Parallel()
	client := store.Client(testdb.New(t))
	t.Cleanup(func() { _ = client.Close() })
	system := auth.NewContext(t.Context(), auth.System())
	ada := client.User.Create().SetEmail("ada@example.org").SetPassword("-").SetVerifiedAt(time.Now()).SaveX(system)
	client.User.Create().SetEmail("bob@example.org").SetPassword("of a stranger").ExecX(system)

	const secret = "A3pL6dG1sK9fH5bY2mW7rJc4NxV0tZ8q"
	list, err := auth.ParseIssuers(`[
		{"issuer": "trusted", "audience": "readout", "type": "HS256", "key": "` + secret + `", "email": true},
		{"issuer": "not", "audience": "readout", "type": "HS256", "key": "` + secret + `"}
	]`)
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := auth.NewIssuers(list, auth.IssuersConfig{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("q8Zt0VxN4cJr7Wm2Yb5Hf9Ks1Gd6Lp3A"), Issuers: issuers})
	if err != nil {
		t.Fatal(err)
	}
	authenticator := auth.NewAuthenticator(client, tokens)
	for _, c := range []struct {
		name, issuer, email, verified string
		opens                         bool
	}{
		{"a verified address", "trusted", `"ada@example.org"`, "true", true},
		{"in other letters", "trusted", `"Ada@Example.org"`, "true", true},
		{"an address that is not verified", "trusted", `"ada@example.org"`, "false", false},
		{"an issuer that is not trusted for it", "not", `"ada@example.org"`, "true", false},
		{"an address without an account", "trusted", `"eve@example.org"`, "true", false},
		{"an account that may be a stranger's", "trusted", `"bob@example.org"`, "true", false},
		{"no address", "trusted", "", "true", false},
	} {
		target := forge.Target{
			Method: jwt.SigningMethodHS256, Key: []byte(secret), Issuer: c.issuer, Audience: "readout", Subject: "1", Now: time.Now(),
			Claims: []string{"email", c.email, "email_verified", c.verified},
		}
		p, err := authenticator.Authenticate(t.Context(), target.Good())
		switch {
		case c.opens && (err != nil || p.Kind != auth.User || p.User != ada.ID || p.Expires.IsZero()):
			t.Errorf("%s: %+v, %v; want Ada", c.name, p, err)
		case !c.opens && !fault.Is(err, fault.Unauthenticated):
			t.Errorf("%s: %+v, %v; want it refused", c.name, p, err)
		}
	}
}
