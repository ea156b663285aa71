package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/forge"
)

// besieged is a Tokens with keys of every algorithm, of its own and of foreign issuers, and the ways to attack each.
type besieged struct {
	*Tokens
	clock   *clock
	targets []forge.Target
	asked   *atomic.Int64 // requests to what tokens tell of
	fetched *atomic.Int64 // requests to what the configuration tells of
}

// Keys of each algorithm, of ours and of others, made once: RSA takes its time.
var ownSigners, foreignSigners = sync.OnceValue(newSigners), sync.OnceValue(newSigners)

func newSigners() map[string]any {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]any{rs256: r, es256: e, edDSA: d, hs256: testSecret}
}

// jwks writes private keys as a JWK set, or the public parts of foreign ones; they are named after their algorithms.
func jwks(t testing.TB, private bool, algorithms ...string) string {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, alg := range algorithms {
		k := jose.JSONWebKey{Key: ownSigners()[alg], KeyID: alg, Algorithm: alg, Use: "sig"}
		if !private {
			k = jose.JSONWebKey{Key: foreignSigners()[alg], KeyID: alg + "-f", Algorithm: alg, Use: "sig"}
			k = k.Public()
		}
		set.Keys = append(set.Keys, k)
	}
	doc, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// counting answers with a document and counts how often.
func counting(t testing.TB, doc string) (url string, count *atomic.Int64) {
	t.Helper()
	count = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		_, _ = w.Write([]byte(doc))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, count
}

func besiege(t testing.TB) besieged {
	t.Helper()
	b := besieged{clock: newClock()}
	trap, asked := counting(t, jwks(t, true, rs256))
	url, fetched := counting(t, jwks(t, false, rs256, es256, edDSA))
	b.asked, b.fetched = asked, fetched
	keys, err := ParseTokenKeys(jwks(t, true, es256, rs256, edDSA, hs256))
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := NewIssuers([]IssuerConfig{
		{Issuer: "https://id.example.org", Audience: textList{"readout", "readout-api"}, URL: url, Email: true},
		{Issuer: "plant", Audience: textList{"gateway"}, Type: hs256, Key: string(otherSecret)},
	}, IssuersConfig{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	issuers.Fetch(t.Context())
	if b.Tokens, err = NewTokens(TokenConfig{Keys: keys, Issuers: issuers, Now: b.clock.Now}); err != nil {
		t.Fatal(err)
	}
	own := forge.Target{Issuer: "readout", Audience: "readout", Subject: "7", Now: b.clock.Now(), Trap: trap}
	foreign := forge.Target{
		Issuer: "https://id.example.org", Audience: "readout-api", Subject: "f00d", Foreign: true, Now: b.clock.Now(), Trap: trap,
		Claims: []string{"email", `"Ada@example.org"`, "email_verified", "true"},
	}
	plant := foreign
	plant.Issuer, plant.Audience, plant.Method, plant.Key = "plant", "gateway", jwt.SigningMethodHS256, otherSecret
	b.targets = append(b.targets, plant)
	for _, k := range keys {
		own.Method, own.Key, own.KID, own.Public = k.method, k.private, k.id, nil
		if k.asymmetric() {
			own.Public = k.public
			f, err := newTokenKey(k.id+"-f", "", foreignSigners()[k.alg()])
			if err != nil {
				t.Fatal(err)
			}
			foreign.Method, foreign.Key, foreign.KID, foreign.Public = f.method, f.private, f.id, f.public
			b.targets = append(b.targets, foreign)
		}
		b.targets = append(b.targets, own)
	}
	all := slices.Clone(b.targets)
	for i := range b.targets {
		b.targets[i].Others = slices.Concat(all[:i], all[i+1:])
	}
	return b
}

// whose names a target.
func whose(target forge.Target) string {
	if target.Foreign {
		return "foreign " + target.Method.Alg()
	}
	return "own " + target.Method.Alg()
}

func TestNoForgedTokenIsTaken(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	for _, target := range b.targets {
		attacks := target.Attacks()
		if len(attacks) < 500 {
			t.Errorf("%s: only %d attacks", whose(target), len(attacks))
		}
		for _, attack := range attacks {
			c, err := b.Verify(attack.Text)
			if err == nil {
				t.Errorf("%s: took %q as %+v", whose(target), attack.Name, c)
			} else if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %q: %v", whose(target), attack.Name, err)
			}
		}
		t.Logf("%s: %d attacks", whose(target), len(attacks))
	}
	if b.asked.Load() != 0 || b.fetched.Load() != 1 {
		t.Errorf("%d requests to where tokens led, want 0; %d to the issuer, want the one at the start", b.asked.Load(), b.fetched.Load())
	}
}

func TestUnusualTokensAreTaken(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	for _, target := range b.targets {
		variants := target.Variants()
		if len(variants) < 20 {
			t.Errorf("%s: only %d variants", whose(target), len(variants))
		}
		for _, variant := range variants {
			for range 2 { // the second time it is remembered
				c, err := b.Verify(variant.Text)
				switch {
				case err != nil:
					t.Errorf("%s: refused %q: %v", whose(target), variant.Name, err)
				case target.Foreign && (c.User != 0 || c.Issuer != target.Issuer || c.Subject != target.Subject):
					t.Errorf("%s: %q is of %+v", whose(target), variant.Name, c)
				case !target.Foreign && (c.User != 7 || c.Issuer != "" || c.Email != ""):
					t.Errorf("%s: %q is of %+v", whose(target), variant.Name, c)
				}
			}
		}
	}
}

// What was taken once is not remembered beyond its end, nor beyond the keys that it was verified with.
func TestRememberedTokensEnd(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	for _, target := range b.targets {
		if _, err := b.Verify(target.Good()); err != nil {
			t.Fatal(err)
		}
	}
	withdrawn := b.issuers.find("https://id.example.org")
	b.issuers.exchange(withdrawn, nil)
	for _, target := range b.targets {
		if target.Method.Alg() == es256 { // its signatures differ: this is another token
			continue
		}
		_, err := b.Verify(target.Good())
		if gone := target.Issuer == withdrawn.Issuer; (err != nil) != gone {
			t.Errorf("%s, when the keys of one issuer were withdrawn: %v", whose(target), err)
		}
	}
	b.clock.advance(900e9 + 30e9)
	for _, target := range b.targets {
		_, err := b.Verify(target.Good())
		assertRefused(t, whose(target)+" at its end", err)
	}
}

func TestManyVerifyAtOnce(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	others.Go(func() {
		for i := b.issuers.find("https://id.example.org"); ctx.Err() == nil; b.issuers.exchange(i, *i.keys.Load()) {
			b.issuers.Fetch(ctx)
		}
	})
	var verifiers sync.WaitGroup
	for _, target := range b.targets {
		good, bad := target.Good(), target.Good()+"A"
		verifiers.Go(func() {
			for range 200 {
				if _, err := b.Verify(good); err != nil {
					t.Errorf("%s: %v", whose(target), err)
				}
				if _, err := b.Verify(bad); err == nil {
					t.Errorf("%s: took a longer signature", whose(target))
				}
			}
		})
	}
	verifiers.Wait()
	cancel()
	others.Wait()
}
