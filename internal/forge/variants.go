package forge

import (
	"strconv"
	"strings"
)

// Variants returns tokens that look unusual and must all be taken.
func (t Target) Variants() []Token {
	good, header := t.claims(), t.header()
	aud := strconv.Quote(t.Audience)
	last := func(doc, member string) string { return strings.TrimSuffix(doc, "}") + "," + member + "}" }
	with := func(changes ...string) string { return t.sign(header, t.claims(changes...)) }
	all := []Token{
		{"as it is", t.sign(header, good)},
		{"the header's members in another order", t.sign(last(t.header("alg", ""), `"alg":`+strconv.Quote(t.Method.Alg())), good)},
		{"space in the header", t.sign(" "+strings.ReplaceAll(header, ",", " ,\r\n\t")+"\n", good)},
		{"space in the claims", t.sign(header, "\n\t"+strings.ReplaceAll(good, `":`, "\" :\r")+" ")},
		{"escapes in the header", t.sign(strings.Replace(header, "at+jwt", `at\u002bjwt`, 1), good)},
		{"escapes in a claim", t.sign(header, strings.Replace(good, aud, `"`+escaped(t.Audience)+`"`, 1))},
		{"escapes in a claim's name", t.sign(header, strings.Replace(good, `"sub"`, `"\u0073ub"`, 1))},
		{"a claim that nobody knows", with("x", `{"a":[1,{"}":"\"]}\\"}],"a":2}`)},
		{"a claim of 2 KB", with("x", `"`+strings.Repeat("x", 2000)+`"`)},
		{"a claim with an empty name", with("", "null")},
		{"a claim in Chinese", with("名", `"溫度"`)},
		{"a number beyond all floats", with("x", "1e999")},
		{"nbf now", with("nbf", t.at(0))},
		{"nbf long ago", with("nbf", "1")},
		{"iat long ago", with("iat", "1")},
		{"exp in the year 9999", with("exp", "253402300799")},
		{"a role", with("role", `"admin"`, "scope", `"openid"`, "azp", `"x"`)},
		{"jti of 64 bytes", with("jti", `"`+strings.Repeat("j", 64)+`"`)},
		{"jti of a quotation mark", with("jti", `"\""`)},
		{"the claims of a session elsewhere", with("sid_", `"x"`, "auth_time", t.at(-60), "amr", `["pwd"]`)},
	}
	if !t.Foreign {
		return all
	}
	return append(
		all,
		Token{"typ JWT", t.sign(t.header("typ", `"JWT"`), good)},
		Token{"no typ", t.sign(t.header("typ", ""), good)},
		Token{"a list of one audience", with("aud", "["+aud+"]")},
		Token{"a list of audiences", with("aud", `["other",`+aud+`]`)},
		Token{"no iat", with("iat", "")},
		Token{"no jti", with("jti", "")},
		Token{"a sid of letters", with("sid", `"0f3a"`)},
		Token{"an address that is not verified", with("contact", `"x@example.org"`)},
	)
}

// escaped writes each letter as an escape.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(`\u00`)
		b.WriteString(strconv.FormatInt(int64(r), 16))
	}
	return b.String()
}
