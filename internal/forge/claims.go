package forge

import (
	"strconv"
	"strings"
)

// times are rightly signed tokens that are not valid now.
func (t Target) times() []Token {
	var all []Token
	for _, changes := range [][]string{
		{"exp", ""},
		{"exp", "0"},
		{"exp", "-1"},
		{"exp", "null"},
		{"exp", "true"},
		{"exp", "{}"},
		{"exp", strconv.Quote(t.at(900))},
		{"exp", "[" + t.at(900) + "]"},
		{"exp", "1e400"},
		{"exp", "4e9"},
		{"exp", t.at(900) + ".5"},
		{"exp", "-" + t.at(900)},
		{"exp", "+" + t.at(900)},
		{"exp", "0" + t.at(900)},
		{"exp", "253402300800"},
		{"exp", t.at(900) + "000"},
		{"exp", "9223372036854775807"},
		{"exp", "9223372036854775808"},
		{"exp", "18446744073709551616"},
		{"exp", "", "Exp", t.at(900)},
		{"exp", "", "expires_in", "900"},
		{"exp", t.at(-31), "iat", t.at(-900)},
		{"exp", t.at(-86400), "iat", t.at(-90000)},
		{"iat", "null"},
		{"iat", "1e9"},
		{"iat", "-1"},
		{"iat", strconv.Quote(t.at(0))},
		{"iat", t.at(60)},
		{"iat", t.at(86400), "exp", t.at(90000)},
		{"iat", t.at(-20), "exp", t.at(-20)},
		{"nbf", t.at(60)},
		{"nbf", "1e300"},
		{"nbf", "null"},
		{"nbf", `"0"`},
		{"nbf", "-1"},
		{"nbf", "0"},
	} {
		all = append(all, Token{strings.Join(changes, "="), t.sign(t.header(), t.claims(changes...))})
	}
	if !t.Foreign {
		all = append(all, Token{"no iat", t.sign(t.header(), t.claims("iat", ""))})
	}
	return all
}

// wrongClaims are rightly signed tokens for somebody else, or of nobody.
func (t Target) wrongClaims() []Token {
	iss, aud := strconv.Quote(t.Issuer), strconv.Quote(t.Audience)
	inner := func(quoted, more string) string { return quoted[:len(quoted)-1] + more + `"` }
	cases := [][]string{
		{"iss", ""},
		{"iss", `""`},
		{"iss", "null"},
		{"iss", "0"},
		{"iss", "[" + iss + "]"},
		{"iss", strings.ToUpper(iss)},
		{"iss", inner(iss, " ")},
		{"iss", inner(iss, "/")},
		{"iss", inner(iss, `\u0000`)},
		{"iss", strconv.Quote(t.Trap)},
		{"aud", ""},
		{"aud", "null"},
		{"aud", "[]"},
		{"aud", "[null]"},
		{"aud", `""`},
		{"aud", `"other"`},
		{"aud", `["other"]`},
		{"aud", `{` + aud + `:true}`},
		{"aud", `[[` + aud + `]]`},
		{"aud", `[` + aud + `,1]`},
		{"aud", `[` + aud + `,null]`},
		{"aud", strings.ToUpper(aud)},
		{"aud", inner(aud, " ")},
		{"aud", inner(aud, `\u0000`)},
		{"aud", inner(aud, ",other")},
		{"sub", ""},
		{"sub", "null"},
		{"sub", "7"},
		{"sub", `""`},
		{"sub", "[" + strconv.Quote(t.Subject) + "]"},
		{"sub", `"\u0000"`},
		{"sub", strconv.Quote(strings.Repeat("9", 256))},
	}
	if !t.Foreign {
		cases = append(cases, [][]string{
			{"aud", "[" + aud + "]"},
			{"aud", "[" + aud + `,"other"]`},
			{"sub", `"0"`},
			{"sub", `"-7"`},
			{"sub", `"+7"`},
			{"sub", `"07"`},
			{"sub", `" 7"`},
			{"sub", `"7.0"`},
			{"sub", `"7e0"`},
			{"sub", `"٧"`},
			{"sub", `"admin"`},
			{"sub", `"9223372036854775808"`},
			{"sub", `"7 OR 1=1"`},
			{"jti", ""},
			{"jti", `""`},
			{"jti", "1"},
			{"jti", "null"},
			{"jti", strconv.Quote(strings.Repeat("x", 65))},
			{"sid", "7"},
			{"sid", `""`},
			{"sid", `"0"`},
			{"sid", `"-1"`},
			{"sid", "null"},
			{"sid", `"x"`},
		}...)
	}
	var all []Token
	for _, changes := range cases {
		all = append(all, Token{strings.Join(changes, "="), t.sign(t.header(), t.claims(changes...))})
	}
	return all
}

// wrongDocuments are rightly signed tokens whose claims two readers would read in two ways.
func (t Target) wrongDocuments() []Token {
	good := t.claims()
	first := func(member string) string { return strings.Replace(good, "{", "{"+member+",", 1) }
	last := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	var all []Token
	for _, claims := range []string{
		first(`"sub":"8"`), last(`"sub":"8"`), first(`"\u0073ub":"8"`), last(`"\u0073ub":"8"`),
		first(`"exp":1`), last(`"exp":` + t.at(9000)), first(`"iss":"x"`), last(`"aud":"x"`), first(`"role":1,"role":2`), last(`"":1,"":1`),
		"{}", "[]", "null", "1", `"x"`, "{", "[" + good + "]", good + good, good + "x", "x" + good, good[:len(good)-1], good[1:],
		strings.TrimSuffix(good, "}") + ",}", "\ufeff" + good, strings.ReplaceAll(good, `"`, "'"), "/**/" + good, good + "//",
		last("\"x\":\"\xff\""), last("\"x\":\"\xc0\xae\""), last("\"\xed\xa0\x80\":1"), last("\"x\":\"a\x00b\""), last("\"x\":\"a\nb\""),
		last(`"x":NaN`), last(`"x":01`), last(`"x":.5`), last(`"x":0x1`), last(`x:1`), last(`"x":undefined`),
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000), strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300),
	} {
		all = append(all, Token{"claims " + claims, t.sign(t.header(), claims)})
	}
	return all
}
