package forge

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Target is a key that a server trusts, and what a good token of that key says.
type Target struct {
	Method  jwt.SigningMethod // the key's one algorithm
	Key     any               // what the owner of the key signs with
	Public  any               // what the world knows of it; nil for a secret
	KID     string            // the key's name; empty if it has none
	Foreign bool              // whether it is another issuer's, and not the server's own

	Issuer, Audience, Subject string
	Claims                    []string  // further claims that a good token needs: names, each before its JSON
	Now                       time.Time // what the server takes for now
	Trap                      string    // an address of which tokens tell, and that nobody must ever ask

	Others []Target // other keys that the same server trusts, of other issuers or other algorithms
}

// Token is a token and what is special about it.
type Token struct{ Name, Text string }

// Good returns a token that must be taken.
func (t Target) Good() string { return t.sign(t.header(), t.claims()) }

// Attacks returns tokens of which none must be taken: several hundred.
func (t Target) Attacks() []Token {
	return slices.Concat(t.unsigned(), t.confused(), t.types(), t.members(), t.names(), t.times(), t.wrongClaims(),
		t.wrongDocuments(), t.signatures(), t.texts(), t.strangers())
}

// header returns a good header with changes: a name and the JSON it gets, "" to leave it out.
func (t Target) header(changes ...string) string {
	kid := ""
	if t.KID != "" {
		kid = strconv.Quote(t.KID)
	}
	return document(append([]string{"alg", strconv.Quote(t.Method.Alg()), "typ", `"at+jwt"`, "kid", kid}, changes...))
}

// claims returns good claims with changes, as header does.
func (t Target) claims(changes ...string) string {
	all := []string{
		"iss", strconv.Quote(t.Issuer), "aud", strconv.Quote(t.Audience), "sub", strconv.Quote(t.Subject),
		"exp", t.at(900), "iat", t.at(0), "jti", `"id"`,
	}
	return document(slices.Concat(all, t.Claims, changes))
}

// at returns the time some seconds from now, as a claim.
func (t Target) at(seconds int64) string { return strconv.FormatInt(t.Now.Unix()+seconds, 10) }

// sign returns a token with any header and claims, rightly signed with the key.
func (t Target) sign(header, claims string) string { return signWith(t.Method, t.Key, header, claims) }

// encode is what the parts of a token are written in.
var encode = base64.RawURLEncoding.EncodeToString

func signWith(method jwt.SigningMethod, key any, header, claims string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := method.Sign(signed, key)
	if err != nil {
		panic(fmt.Sprintf("sign with %s: %v", method.Alg(), err))
	}
	return signed + "." + encode(signature)
}

// document writes pairs of a name and JSON as an object; a name's last pair counts, and "" leaves it out.
func document(pairs []string) string {
	last := map[string]int{}
	for i := 0; i < len(pairs); i += 2 {
		last[pairs[i]] = i
	}
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		if last[pairs[i]] == i && pairs[i+1] != "" {
			members = append(members, strconv.Quote(pairs[i])+":"+pairs[i+1])
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}
