package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// block writes a key as a PEM block of a type.
func block(t testing.TB, kind string, key any) string {
	t.Helper()
	var der []byte
	var err error
	switch kind {
	case "PRIVATE KEY":
		der, err = x509.MarshalPKCS8PrivateKey(key)
	case "EC PRIVATE KEY":
		der, err = x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	case "RSA PRIVATE KEY":
		der = x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))
	case "PUBLIC KEY":
		der, err = x509.MarshalPKIXPublicKey(key)
	case "CERTIFICATE":
		k := key.(*ecdsa.PrivateKey)
		der, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &k.PublicKey, k)
	default:
		der = []byte("?")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// tokensOf returns a Tokens with keys, on the clock of b.
func (b bench) tokensOf(t testing.TB, keys string) *Tokens {
	t.Helper()
	parsed, err := ParseTokenKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := NewTokens(TokenConfig{Keys: parsed, Now: b.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestKeysAreReadFromPEM(t *testing.T) {
	t.Parallel()
	r, e, d := ownSigners()[rs256].(*rsa.PrivateKey), ownSigners()[es256].(*ecdsa.PrivateKey), ownSigners()[edDSA]
	for _, c := range []struct{ kind, alg, doc string }{
		{"PKCS 8 of RSA", rs256, block(t, "PRIVATE KEY", r)},
		{"PKCS 8 of P-256", es256, block(t, "PRIVATE KEY", e)},
		{"PKCS 8 of Ed25519", edDSA, block(t, "PRIVATE KEY", d)},
		{"PKCS 1", rs256, block(t, "RSA PRIVATE KEY", r)},
		{"SEC 1 with its parameters", es256, block(t, "EC PARAMETERS", nil) + block(t, "EC PRIVATE KEY", e)},
		{"text between blocks", rs256, "Bag Attributes\n" + block(t, "PRIVATE KEY", r) + "more\n" + block(t, "PUBLIC KEY", &e.PublicKey)},
		{"a certificate", edDSA, block(t, "PRIVATE KEY", d) + block(t, "CERTIFICATE", e)},
	} {
		b := setupTokens(t)
		tokens := b.tokensOf(t, c.doc)
		token, _, err := tokens.Issue(7)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tokens.Verify(token); err != nil || got.User != 7 {
			t.Errorf("%s: %+v, %v", c.kind, got, err)
		}
		header, err := readHeader(strings.Split(token, ".")[0])
		if err != nil || header.alg != c.alg || len(header.kid) != 43 {
			t.Errorf("%s: the header is %+v (%v), want %s and a thumbprint", c.kind, header, err, c.alg)
		}
	}
}

// Keys are exchanged in two steps, and nobody is logged out: from a plain secret to a set, and from one key to the next.
func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	secret := fmt.Sprintf(`{"kty":"oct","kid":"old","alg":"HS256","k":%q}`, base64.RawURLEncoding.EncodeToString(testSecret))
	withSecret := strings.Replace(jwks(t, true, es256), "]", ","+secret+"]", 1)
	steps := []*Tokens{b.Tokens, b.tokensOf(t, withSecret), b.tokensOf(t, jwks(t, true, rs256, es256)), b.tokensOf(t, jwks(t, true, edDSA, rs256))}
	for i, tokens := range steps {
		token, _, err := tokens.Issue(7)
		if err != nil {
			t.Fatal(err)
		}
		for j, verifier := range steps {
			_, err := verifier.Verify(token)
			if taken, want := err == nil, j == i || j == i+1; taken != want {
				t.Errorf("a token of step %d at step %d: taken is %v (%v)", i, j, taken, err)
			}
		}
	}
}

func TestWrongKeysAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := ownSigners()[es256].(*ecdsa.PrivateKey)
	jwk := func(k jose.JSONWebKey) string {
		doc, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(doc)
	}
	good := jwk(jose.JSONWebKey{Key: e, KeyID: "a"})
	for _, c := range []struct{ name, doc, want string }{
		{"nothing", "", "neither a JWK set nor PEM"},
		{"a plain secret", string(testSecret), "neither a JWK set nor PEM"},
		{"no JSON", "{", "not JSON"},
		{"no keys", `{"keys":[]}`, "1 to 16 keys, not 0"},
		{"no array of keys", `{"keys":{}}`, "keys is not an array"},
		{"keys twice", `{"keys":[],"keys":[` + good + `]}`, "twice"},
		{"17 keys", `{"keys":[` + strings.TrimSuffix(strings.Repeat(good+",", 17), ",") + `]}`, "1 to 16 keys, not 17"},
		{"a kid twice", `{"keys":[` + good + "," + good + `]}`, "kid is that of a key before it"},
		{"a kid of a space", strings.Replace(good, `"a"`, `"a b"`, 1), "visible"},
		{"a long kid", strings.Replace(good, `"a"`, `"`+strings.Repeat("k", 129)+`"`, 1), "1 to 128"},
		{"a member twice", strings.Replace(good, "{", `{"kid":"b",`, 1), "twice"},
		{"a short RSA key", block(t, "PRIVATE KEY", weak), "2048 to 8192 bits, not 1024"},
		{"another curve", block(t, "PRIVATE KEY", p384), "P-256, not P-384"},
		{"another curve as a JWK", jwk(jose.JSONWebKey{Key: p384}), "P-256, not P-384"},
		{"another alg", jwk(jose.JSONWebKey{Key: e, Algorithm: "ES384"}), `its alg is "ES384"`},
		{"an unknown alg", jwk(jose.JSONWebKey{Key: testSecret, KeyID: "a", Algorithm: "HS257"}), `its alg is "HS257"`},
		{"RS256 of a secret", jwk(jose.JSONWebKey{Key: testSecret, KeyID: "a", Algorithm: rs256}), `its alg is "RS256"`},
		{"a key for encryption", jwk(jose.JSONWebKey{Key: e, Use: "enc"}), "not for signatures"},
		{"key_ops for encryption", strings.Replace(good, "{", `{"key_ops":["wrapKey"],`, 1), "not for signatures"},
		{"a secret without a kid", jwk(jose.JSONWebKey{Key: testSecret}), "needs a kid"},
		{"a short secret", jwk(jose.JSONWebKey{Key: []byte("short"), KeyID: "a"}), "at least 32 bytes"},
		{"a documented secret", jwk(jose.JSONWebKey{Key: []byte("your-256-bit-secret-goes-in-this-place"), KeyID: "a"}), "documented sample"},
		{"a public key as a secret", jwk(jose.JSONWebKey{Key: []byte(block(t, "PUBLIC KEY", &e.PublicKey)), KeyID: "a"}), "PEM and not a secret"},
		{"an unknown kind", `{"kty":"X"}`, "key 1"},
		{"a public key first", block(t, "PUBLIC KEY", &e.PublicKey) + block(t, "PRIVATE KEY", ownSigners()[rs256]), "must be private"},
		{"an encrypted key", block(t, "ENCRYPTED PRIVATE KEY", nil), "without a password"},
		{"a broken key", strings.Replace(block(t, "PRIVATE KEY", e), "\nM", "\nN", 1), "PEM block 1"},
	} {
		_, err := ParseTokenKeys(c.doc)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), string(testSecret)) {
			t.Errorf("%s: the error shows the secret: %v", c.name, err)
		}
	}
	keys, err := ParseTokenKeys(good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTokens(TokenConfig{Keys: keys, Secret: testSecret}); err == nil {
		t.Error("a secret and keys at once were taken")
	}
}

// Others can verify our tokens with what is published, and can learn no secret from it.
func TestPublicKeysArePublished(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	tokens := b.tokensOf(t, jwks(t, true, es256, hs256, rs256, edDSA))
	w := httptest.NewRecorder()
	if err := tokens.ServeJWKS(w, httptest.NewRequest("GET", "/.well-known/jwks.json", nil)); err != nil {
		t.Fatal(err)
	}
	if got := w.Header(); got.Get("Cache-Control") != "public, max-age=300" || got.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("the header is %v", got)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%d keys, want 3 (%v): %s", len(set.Keys), err, w.Body)
	}
	for i, alg := range []string{es256, rs256, edDSA} {
		k := set.Keys[i]
		if k["kid"] != alg || k["alg"] != alg || k["use"] != "sig" {
			t.Errorf("key %d is %v", i, k)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, shown := k[private]; shown {
				t.Errorf("%s: the private member %s is shown", alg, private)
			}
		}
	}
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(w.Body.Bytes(), &published); err != nil {
		t.Fatal(err)
	}
	token, _, err := tokens.Issue(7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Parse(token, func(token *jwt.Token) (any, error) { return published.Key(token.Header["kid"].(string))[0].Key, nil },
		jwt.WithTimeFunc(b.clock.Now), jwt.WithValidMethods([]string{es256})); err != nil {
		t.Error(err)
	}
	w = httptest.NewRecorder()
	if err := b.ServeJWKS(w, nil); err != nil || w.Body.String() != `{"keys":[]}` {
		t.Errorf("with a secret alone: %s, %v", w.Body, err)
	}
}

func TestKeysDoNotPrintTheirSecrets(t *testing.T) {
	t.Parallel()
	keys, err := ParseTokenKeys(jwks(t, true, hs256, es256))
	if err != nil {
		t.Fatal(err)
	}
	c := IssuerConfig{Key: string(testSecret)}
	document, _ := json.Marshal(keys)
	scalar, err := ownSigners()[es256].(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s", keys, keys, keys, document, c, c, c, fmt.Sprint(keys[1]))
	for _, text := range []string{string(testSecret), fmt.Sprint(testSecret), fmt.Sprint(scalar), new(big.Int).SetBytes(scalar).String()} {
		if strings.Contains(printed, text) {
			t.Errorf("the secret shows in %s", printed)
		}
	}
}
