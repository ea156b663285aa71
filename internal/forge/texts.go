package forge

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// texts are writings of a good token that are not it.
func (t Target) texts() []Token {
	good := t.Good()
	parts := strings.Split(good, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[2])
	loose := good + "A"
	if len(raw)%3 != 0 { // the last letter has bits to spare
		loose = good[:len(good)-1] + nextLetter(good[len(good)-1])
	}
	plain := func(i int) string { b, _ := base64.RawURLEncoding.DecodeString(parts[i]); return string(b) }
	all := []Token{
		{"nothing", ""},
		{"a dot", "."},
		{"two dots", ".."},
		{"three dots", "..."},
		{"leading space", " " + good},
		{"trailing space", good + " "},
		{"a tab before", "\t" + good},
		{"trailing line break", good + "\n"},
		{"a line break inside", parts[0] + "." + parts[1][:9] + "\r\n" + parts[1][9:] + "." + parts[2]},
		{"Bearer twice", "Bearer " + good},
		{"quotes", `"` + good + `"`},
		{"brackets", "<" + good + ">"},
		{"escaped dots", strings.ReplaceAll(good, ".", "%2E")},
		{"escaped whole", url.QueryEscape(good + "=")},
		{"padding", good + "="},
		{"padding in the header", parts[0] + "==." + parts[1] + "." + parts[2]},
		{"padding in the claims", parts[0] + "." + parts[1] + "==." + parts[2]},
		{"two tokens", good + "," + good},
		{"two tokens in one", good + "." + good},
		{"a fourth part", good + ".AAAA"},
		{"five parts, as encrypted", good + ".AAAA.AAAA"},
		{"trailing dot", good + "."},
		{"leading dot", "." + good},
		{"the parts reversed", parts[2] + "." + parts[1] + "." + parts[0]},
		{"header and claims exchanged", parts[1] + "." + parts[0] + "." + parts[2]},
		{"NUL at the end", good + "\x00"},
		{"NUL inside", strings.Replace(good, ".", "\x00.", 1)},
		{"a letter that is not ASCII", good + "é"},
		{"full-width dots", strings.ReplaceAll(good, ".", "．")},
		{"upper case", strings.ToUpper(good)},
		{"lower case", strings.ToLower(good)},
		{"bits to spare in the last letter", loose},
		{"base64 in place of base64url", parts[0] + "." + parts[1] + "/+" + "." + parts[2]},
		{"parts in the clear", plain(0) + "." + plain(1) + "." + parts[2]},
		{"as JSON", fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, parts[1], parts[0], parts[2])},
		{"as JSON with two signatures", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, parts[1], parts[0], parts[2])},
		{"a token within a token", t.sign(t.header(), `"`+good+`"`)},
		{"a token as another's claims", parts[0] + "." + encode([]byte(good)) + "." + parts[2]},
		{"encoded once more", encode([]byte(good))},
		{"hexadecimal", fmt.Sprintf("%x", good)},
		{"null", "null"},
		{"undefined", "undefined"},
		{"[object Object]", "[object Object]"},
		{"12 KB of letters", strings.Repeat("a", 12<<10)},
		{"12 KB of dots", strings.Repeat(".", 12<<10)},
		{"12 KB of braces", encode([]byte(strings.Repeat("{", 9<<10))) + ".e30.AA"},
	}
	for _, kilobytes := range []int{7, 10} {
		long := t.claims("x", `"`+strings.Repeat("x", kilobytes<<10)+`"`)
		all = append(all, Token{fmt.Sprintf("a claim of %d KB", kilobytes), t.sign(t.header(), long)})
	}
	return all
}

// nextLetter returns another last letter of base64url that decodes, unless strictly, to the same bytes.
func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1:][:1]
}
