package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/readout-dev/readout/internal/forge"
)

// provider answers for an issuer's keys without a network. What it answers may be changed between fetches.
type provider struct {
	doc   atomic.Value // a text, "" to not answer at all
	asked atomic.Int64
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	doc := p.doc.Load().(string)
	if doc == "" {
		return nil, errors.New("nobody answers")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(doc)), Request: r}, nil
}

// federation is a Tokens that takes the tokens of one issuer, whose keys are kept fresh, in a synctest bubble.
type federation struct {
	*Tokens
	*provider
	stop func()
}

func federate(t *testing.T, doc string) federation {
	t.Helper()
	p := &provider{}
	p.doc.Store(doc)
	issuers, err := NewIssuers([]IssuerConfig{{Issuer: "id", Audience: textList{"readout"}, URL: "https://id.example.org/keys"}},
		IssuersConfig{Client: &http.Client{Transport: p}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := NewTokens(TokenConfig{Secret: testSecret, Issuers: issuers})
	if err != nil {
		t.Fatal(err)
	}
	issuers.Fetch(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- issuers.Run(ctx) }()
	return federation{tokens, p, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}}
}

// token returns one that the issuer has signed, with changes to its claims.
func (federation) token(alg, kid, audience string) string {
	return forge.Target{
		Method: jwt.GetSigningMethod(alg), Key: foreignSigners()[alg], KID: kid, Issuer: "id", Audience: audience, Subject: "u", Now: time.Now(),
	}.Good()
}

func TestNewKeysOfAnIssuerAreLearned(t *testing.T) {
	t.Parallel()
	before, after := jwks(t, false, edDSA), jwks(t, false, es256)
	synctest.Test(t, func(t *testing.T) {
		f := federate(t, before)
		defer f.stop()
		if _, err := f.Verify(f.token(edDSA, "EdDSA-f", "readout")); err != nil {
			t.Fatal(err)
		}
		f.doc.Store(after)
		_, err := f.Verify(f.token(es256, "ES256-f", "readout"))
		assertRefused(t, "of a key that is not known yet", err)
		time.Sleep(keysAtLeast + time.Second)
		if _, err := f.Verify(f.token(es256, "ES256-f", "readout")); err != nil {
			t.Errorf("of a key that was asked for: %v", err)
		}
		_, err = f.Verify(f.token(edDSA, "EdDSA-f", "readout"))
		assertRefused(t, "of a key that was withdrawn", err)
		if f.asked.Load() != 2 {
			t.Errorf("%d requests, want 2", f.asked.Load())
		}
	})
}

func TestForgedTokensHardlyLeadToRequests(t *testing.T) {
	t.Parallel()
	doc := jwks(t, false, edDSA)
	synctest.Test(t, func(t *testing.T) {
		f := federate(t, doc)
		defer f.stop()
		for minute := range 4 {
			for i := range 100 {
				_, _ = f.Verify(f.token(edDSA, fmt.Sprintf("unknown-%d-%d", minute, i), "elsewhere"))
				_, _ = f.Verify(f.token(edDSA, "EdDSA-f", "readout") + "A")
				_, _ = f.Verify(f.token(hs256, "unknown", "readout"))
			}
			time.Sleep(time.Minute)
		}
		if f.asked.Load() != 1 {
			t.Errorf("tokens that are wrong whatever their key: %d requests, want the first alone", f.asked.Load())
		}
		for minute := range 10 {
			for i := range 100 {
				_, _ = f.Verify(f.token(edDSA, fmt.Sprintf("unknown-%d-%d", minute, i), "readout"))
			}
			time.Sleep(time.Minute)
		}
		if n := f.asked.Load(); n < 9 || n > 12 {
			t.Errorf("tokens of unknown keys, for ten minutes: %d requests, want about one a minute", n)
		}
	})
}

func TestKeysOfAnIssuerAreFetchedRegularly(t *testing.T) {
	t.Parallel()
	doc := jwks(t, false, edDSA)
	synctest.Test(t, func(t *testing.T) {
		f := federate(t, doc)
		defer f.stop()
		time.Sleep(time.Hour + time.Second)
		if n := f.asked.Load(); n != 13 {
			t.Errorf("%d requests in an hour, want one at the start and one every five minutes", n)
		}
		f.doc.Store("")
		time.Sleep(23 * time.Hour)
		if _, err := f.Verify(f.token(edDSA, "EdDSA-f", "readout")); err != nil {
			t.Errorf("when the issuer has been away for 23 hours: %v", err)
		}
		time.Sleep(2 * time.Hour)
		_, err := f.Verify(f.token(edDSA, "EdDSA-f", "readout"))
		assertRefused(t, "when the issuer has been away for 25 hours", err)
		f.doc.Store(doc)
		time.Sleep(10 * time.Minute)
		if _, err := f.Verify(f.token(edDSA, "EdDSA-f", "readout")); err != nil {
			t.Errorf("when the issuer is back: %v", err)
		}
	})
}

func TestAnswersThatAreNoKeysAreNotTaken(t *testing.T) {
	t.Parallel()
	elsewhere, followed := counting(t, jwks(t, false, rs256))
	good := jwks(t, false, es256)
	twice := strings.Replace(good, "[", good[strings.Index(good, "[")+1:strings.Index(good, "]")]+",", 1)
	twice = strings.Replace(twice, `{"keys":`, `{"keys":[`, 1)
	for name, answer := range map[string]http.HandlerFunc{
		"an error":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, good, http.StatusInternalServerError) },
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"a page":          func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>log in</html>") },
		"no keys":         func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		"one key, no set": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"kty":"oct","k":"AAAA"}`) },
		"keys twice": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Replace(good, "{", `{"keys":[],`, 1))
		},
		"one kid, two keys": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, twice) },
		"101 keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[`+strings.Repeat("{},", 100)+`{}]}`)
		},
		"more than 256 KiB": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(" "), 300<<10))
			fmt.Fprint(w, good)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) },
		"a lasting redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusPermanentRedirect)
		},
	} {
		srv := httptest.NewServer(answer)
		keys, err := fetchKeys(t.Context(), newKeysClient(), srv.URL, []string{rs256, es256, edDSA})
		srv.Close()
		if len(keys) != 0 || err == nil && name != "no keys" {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
	if followed.Load() != 0 {
		t.Errorf("%d redirects were followed", followed.Load())
	}
}

func TestOfAnIssuersKeysOnlyTheUsefulAreTaken(t *testing.T) {
	t.Parallel()
	public := func(alg, kid, use, says string) string {
		k := jose.JSONWebKey{Key: foreignSigners()[alg], KeyID: kid, Use: use, Algorithm: says}
		if alg != hs256 {
			k = k.Public()
		}
		doc, err := k.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(doc)
	}
	private, err := jose.JSONWebKey{Key: foreignSigners()[es256], KeyID: "private"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	doc := `{"keys":[` + strings.Join([]string{
		public(es256, "a", "sig", es256), public(es256, "b", "", ""), public(rs256, "", "", ""), public(rs256, "a", "", ""),
		public(es256, "enc", "enc", ""), public(es256, "alg", "", "ES384"), public(edDSA, "not allowed", "", ""), public(hs256, "secret", "sig", hs256),
		string(private), `{"kty":"X","kid":"kind"}`, `{"kty":"EC","crv":"P-256","kid":"broken","x":"AA","y":"AA"}`, `{}`, `null`, `"x"`,
		public(es256, "a b", "", ""), strings.Replace(public(es256, "ops", "", ""), "{", `{"key_ops":["encrypt"],`, 1),
	}, ",") + `],"x":1}`
	keys, err := publicKeys([]byte(doc), []string{rs256, es256})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range keys {
		names = append(names, k.alg()+" "+k.id)
	}
	if got := strings.Join(names, ", "); got != "ES256 a, ES256 b, RS256 , RS256 a" {
		t.Errorf("taken are %q", got)
	}
}
