package auth

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
)

// foreignBench is a Tokens that takes those of one foreign issuer, "plant", of HS256.
func foreignBench(t testing.TB, settings ...string) bench {
	t.Helper()
	doc := document(append([]string{"issuer", `"plant"`, "audience", `"readout"`, "type", `"HS256"`, "key", `"` + string(otherSecret) + `"`}, settings...))
	list, err := ParseIssuers(doc)
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := NewIssuers(list, IssuersConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b := bench{clock: newClock()}
	if b.Tokens, err = NewTokens(TokenConfig{Secret: testSecret, Issuers: issuers, Now: b.clock.Now}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) verifyForeign(changes ...string) (Claims, error) {
	claims := b.claims(append([]string{"iss", `"plant"`, "sub", `"u-1"`}, changes...)...)
	return b.Verify(forged(`{"alg":"HS256"}`, claims, otherSecret))
}

func TestForeignClaimsAreMapped(t *testing.T) {
	t.Parallel()
	const hasura = "https://hasura.io/jwt/claims"
	const claims = `{"x-hasura-user-id":"42","X-Hasura-Default-Role":"user","x-hasura-allowed-roles":["user","editor"],"x-hasura-org":"7"}`
	const text = `"{\"x-hasura-user-id\":\"42\",\"x-hasura-default-role\":\"user\",\"x-hasura-allowed-roles\":[\"user\"]}"`
	const verified = "true"
	type pairs = []string
	for _, c := range []struct {
		name             string
		settings, claims pairs
		want             string // subject, address, role; "" when the token is refused
	}{
		{"sub alone", nil, nil, "u-1  "},
		{"an address, of an issuer not trusted for it", nil, pairs{"email", `"a@example.org"`, "email_verified", verified}, "u-1  "},
		{"a verified address", pairs{"email", "true"}, pairs{"email", `"A@example.org"`, "email_verified", verified}, "u-1 a@example.org "},
		{"an address that is not verified", pairs{"email", "true"}, pairs{"email", `"a@example.org"`, "email_verified", "false"}, "u-1  "},
		{"an address without a word on that", pairs{"email", "true"}, pairs{"email", `"a@example.org"`}, "u-1  "},
		{"verified as a text", pairs{"email", "true"}, pairs{"email", `"a@example.org"`, "email_verified", `"true"`}, "u-1  "},
		{"no address", pairs{"email", "true"}, pairs{"email", `"a b@example.org"`, "email_verified", verified}, "u-1  "},
		{"a list of addresses", pairs{"email", "true"}, pairs{"email", `["a@example.org"]`, "email_verified", verified}, "u-1  "},

		{"Hasura's namespace", nil, pairs{hasura, claims}, "42  user"},
		{"Hasura's namespace, no sub", nil, pairs{hasura, claims, "sub", ""}, "42  user"},
		{"an empty namespace", nil, pairs{hasura, `{}`}, "u-1  "},
		{"a namespace of its own", pairs{"claims_namespace", `"plant/claims"`}, pairs{"plant/claims", claims}, "42  user"},
		{"its namespace missing", pairs{"claims_namespace", `"plant/claims"`}, pairs{hasura, claims}, ""},
		{"a text", pairs{"claims_format", `"stringified_json"`}, pairs{hasura, text}, "42  user"},
		{"a text where an object is meant", nil, pairs{hasura, text}, ""},
		{"an object where a text is meant", pairs{"claims_format", `"stringified_json"`}, pairs{hasura, claims}, ""},
		{"a text that is no object", pairs{"claims_format", `"stringified_json"`}, pairs{hasura, `"[]"`}, ""},
		{"a path", pairs{"claims_namespace_path", `"$.a.b-c"`}, pairs{"a", `{"b-c":` + claims + `}`}, "42  user"},
		{"the whole as the path", pairs{"claims_namespace_path", `"$"`}, pairs{"x-hasura-user-id", `"42"`}, "42  "},
		{"a path to nowhere", pairs{"claims_namespace_path", `"$.a.b"`}, pairs{"a", `{"c":` + claims + `}`}, ""},
		{"a path through a text", pairs{"claims_namespace_path", `"$.a.b"`}, pairs{"a", `"b"`}, ""},
		{"a path past two of one name", pairs{"claims_namespace_path", `"$.a.b"`}, pairs{"a", `{"b":{},"b":` + claims + `}`}, ""},
		{"a user's id that is a number", nil, pairs{hasura, `{"x-hasura-user-id":42}`}, ""},
		{"a user's id twice", nil, pairs{hasura, `{"x-hasura-user-id":"42","X-Hasura-User-Id":"43"}`}, ""},
		{"an empty user's id", nil, pairs{hasura, `{"x-hasura-user-id":""}`}, ""},
		{"a role that is not allowed", nil, pairs{hasura, `{"x-hasura-default-role":"admin","x-hasura-allowed-roles":["user"]}`}, ""},
		{"a role without those allowed", nil, pairs{hasura, `{"x-hasura-default-role":"admin"}`}, ""},
		{"allowed roles alone", nil, pairs{hasura, `{"x-hasura-allowed-roles":["admin"]}`}, ""},
		{"roles that are no texts", nil, pairs{hasura, `{"x-hasura-default-role":"user","x-hasura-allowed-roles":["user",1]}`}, ""},

		{"a role that may come in", pairs{"roles", `["user"]`}, pairs{hasura, claims}, "42  user"},
		{"a role that may not", pairs{"roles", `["admin"]`}, pairs{hasura, claims}, ""},
		{"no role where one is needed", pairs{"roles", `["admin"]`}, nil, ""},
		{"a role of its own claim", pairs{"role_claim", `"groups/main"`}, pairs{"groups/main", `"staff"`}, "u-1  staff"},
		{"a role at a path", pairs{"role_claim", `"$.realm.role"`, "roles", `["staff"]`}, pairs{"realm", `{"role":"staff"}`}, "u-1  staff"},
		{"a role that is a list", pairs{"role_claim", `"role"`, "roles", `["staff"]`}, pairs{"role", `["staff"]`}, ""},
	} {
		got, err := foreignBench(t, c.settings...).verifyForeign(c.claims...)
		said := ""
		if err == nil {
			said = got.Subject + " " + got.Email + " " + got.Role
		} else {
			assertRefused(t, c.name, err)
		}
		if said != c.want {
			t.Errorf("%s: %q (%v), want %q", c.name, said, err, c.want)
		}
		if err == nil && (got.User != 0 || got.Issuer != "plant") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestForeignTokensHaveALeeway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		skew     []string
		exp, nbf int64 // seconds from now
		taken    bool
	}{
		{nil, -29, 0, true},
		{nil, -30, 0, false},
		{nil, 900, 30, true},
		{nil, 900, 31, false},
		{[]string{"allowed_skew", "0"}, 1, 0, true},
		{[]string{"allowed_skew", "0"}, 0, 0, false},
		{[]string{"allowed_skew", "5"}, -4, 5, true},
		{[]string{"allowed_skew", "5"}, -5, 0, false},
	} {
		b := foreignBench(t, c.skew...)
		now := b.clock.Now().Unix()
		_, err := b.verifyForeign("exp", fmt.Sprint(now+c.exp), "nbf", fmt.Sprint(now+c.nbf), "iat", fmt.Sprint(now-900))
		if (err == nil) != c.taken {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Hasura's own setting is understood as it is, when it names issuer and audience.
func TestHasurasSettingIsUnderstood(t *testing.T) {
	t.Parallel()
	pem := strings.ReplaceAll(block(t, "PUBLIC KEY", foreignSigners()[edDSA].(crypto.Signer).Public()), "\n", `\n`)
	for name, doc := range map[string]string{
		"a key":           `{"type":"Ed25519","key":"` + pem + `","issuer":"a","audience":["b","c"],"allowed_skew":10}`,
		"an address":      `{"type":"RS256","jwk_url":"https://www.example.org/keys","issuer":"a","audience":"b","claims_format":"json"}`,
		"several of them": `[{"jwk_url":"https://example.org/keys","issuer":"a","audience":"b"},{"jwk_url":"http://localhost:1/keys","issuer":"c","audience":"b"}]`,
	} {
		if _, err := ParseIssuers(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongIssuersAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	quoted := func(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }
	private := quoted(block(t, "PRIVATE KEY", foreignSigners()[rs256]))
	public := quoted(block(t, "PUBLIC KEY", ownSigners()[edDSA].(crypto.Signer).Public()))
	url := []string{"jwk_url", `"https://example.org/keys"`, "type", "", "key", ""}
	with := func(changes ...string) []string { return append(append([]string(nil), url...), changes...) }
	for _, c := range []struct {
		settings []string
		want     string
	}{
		{[]string{"issuer", ""}, "issuer:"},
		{[]string{"issuer", `""`}, "issuer:"},
		{[]string{"issuer", "7"}, "issuer"},
		{[]string{"audience", ""}, "audience:"},
		{[]string{"audience", "[]"}, "audience:"},
		{[]string{"audience", `["a",""]`}, "audience:"},
		{[]string{"jwk_url", `"https://example.org/keys"`}, "one of jwk_url and key"},
		{[]string{"key", ""}, "one of jwk_url and key"},
		{[]string{"type", ""}, "type:"},
		{[]string{"type", `"HS257"`}, `"HS257" is not one of`},
		{[]string{"type", `"none"`}, `"none" is not one of`},
		{[]string{"type", `"RS256"`}, "neither a JWK set nor PEM"},
		{[]string{"type", `"RS256"`, "key", public}, "the key is one of EdDSA"},
		{[]string{"type", `"RS256"`, "key", private}, "no private one"},
		{[]string{"type", `"HS256"`, "key", public}, "PEM and not a secret"},
		{[]string{"key", `"short"`}, "at least 32 bytes"},
		{[]string{"key", `"your-256-bit-secret-goes-in-this-place"`}, "documented sample"},
		{[]string{"algorithms", `["HS256"]`}, "one algorithm"},
		{with("algorithms", `["HS256"]`), "HS256 is for type with a key"},
		{with("algorithms", `["RS256","none"]`), `"none" is not one of`},
		{with("type", `"HS256"`), "HS256 is for type with a key"},
		{with("jwk_url", `"http://example.org/keys"`), "by https"},
		{with("jwk_url", `"http://127.0.0.1.example.org/keys"`), "by https"},
		{with("jwk_url", `"file:///etc/passwd"`), "write https://host/path"},
		{with("jwk_url", `"ftp://example.org/keys"`), "by https"},
		{with("jwk_url", `"//example.org/keys"`), "by https"},
		{with("jwk_url", `"https://user:password@example.org/keys"`), "write https://host/path"},
		{with("jwk_url", `"https://[::1"`), "write https://host/path"},
		{[]string{"claims_namespace", `"a"`, "claims_namespace_path", `"$.a"`}, "one of claims_namespace and claims_namespace_path"},
		{[]string{"claims_namespace_path", `"a.b"`}, "$.a.b"},
		{[]string{"claims_namespace_path", `"$a"`}, "$.a.b"},
		{[]string{"claims_namespace_path", `"$.a..b"`}, "$.a.b"},
		{[]string{"claims_namespace_path", `"$.a[0]"`}, "$.a.b"},
		{[]string{"claims_namespace_path", `"$"`, "claims_format", `"stringified_json"`}, "no text"},
		{[]string{"claims_format", `"yaml"`}, "claims_format"},
		{[]string{"role_claim", `"$"`}, "role"},
		{[]string{"allowed_skew", "31"}, "0 to 30"},
		{[]string{"allowed_skew", "-1"}, "0 to 30"},
		{[]string{"claims_map", "{}"}, "claims_map"},
		{[]string{"jku", `"x"`}, "jku"},
	} {
		doc := document(append([]string{"issuer", `"plant"`, "audience", `"readout"`, "type", `"HS256"`, "key", `"` + string(otherSecret) + `"`}, c.settings...))
		_, err := ParseIssuers(doc)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.settings, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), string(otherSecret)) {
			t.Errorf("%v: the error shows the secret: %v", c.settings, err)
		}
	}
	one := document(append([]string{"issuer", `"plant"`, "audience", `"readout"`}, url...))
	for doc, want := range map[string]string{
		"":                          "not JSON",
		"[]":                        "1 to 16 issuers",
		"null":                      "not a JSON object",
		"[" + one + "," + one + "]": "same name",
		strings.Replace(one, "{", `{"issuer":"x",`, 1): "twice",
	} {
		if _, err := ParseIssuers(doc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", doc, err, want)
		}
	}
	for name, c := range map[string]IssuerConfig{
		"our name":   {Issuer: "readout", Audience: textList{"a"}, Type: hs256, Key: string(otherSecret)},
		"our secret": {Issuer: "plant", Audience: textList{"a"}, Type: hs256, Key: string(testSecret)},
	} {
		issuers, err := NewIssuers([]IssuerConfig{c}, IssuersConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewTokens(TokenConfig{Secret: testSecret, Issuers: issuers}); err == nil {
			t.Errorf("an issuer with %s was taken", name)
		}
	}
}
