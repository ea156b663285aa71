package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The longest tokens looked at, in bytes: Issue makes about 240, and 600 with RSA; other issuers put more into theirs.
const (
	maxToken        = 4 << 10
	maxForeignToken = 8 << 10
)

// tokenParts is a token in compact form, taken apart.
type tokenParts struct {
	header, payload, signature string
	signed                     string // header and payload with the dot
}

var errTooLong = errors.New("longer than is looked at")

// splitToken takes a token apart. It lets through nothing but base64url's alphabet and the two dots: base64.Encoding
// itself skips line breaks.
func splitToken(token string, longest int) (tokenParts, error) {
	if len(token) > longest {
		return tokenParts{}, errTooLong
	}
	for i := range len(token) {
		if !isTokenByte(token[i]) {
			return tokenParts{}, errors.New("a byte that is not of base64url")
		}
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if header == "" || payload == "" || signature == "" || strings.Contains(signature, ".") {
		return tokenParts{}, errors.New("not three parts")
	}
	return tokenParts{header, payload, signature, token[:len(header)+1+len(payload)]}, nil
}

func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// segment refuses padding and, so that no two texts are one token, bits that are left over and not zero.
var segment = base64.RawURLEncoding.Strict()

func decodeSegment(s string) ([]byte, error) {
	b, err := segment.DecodeString(s)
	if err != nil {
		return nil, errors.New("a part is not base64url")
	}
	return b, nil
}

// readSegment reads a part that is a JSON object.
func readSegment(s string) (object, error) {
	doc, err := decodeSegment(s)
	if err != nil {
		return nil, err
	}
	return readObject(doc)
}

// verify checks the token's signature against k, with k's own algorithm whatever the header says.
func (p tokenParts) verify(k *TokenKey) error {
	signature, err := decodeSegment(p.signature)
	if err != nil {
		return err
	}
	return k.method.Verify(p.signed, signature, k.public)
}

// tokenHeader is what the header of a token says.
type tokenHeader struct{ alg, typ, kid string } // typ and kid are empty where they are absent

// readHeader refuses any member but alg, typ and kid. Most others (jku, x5u, jwk, x5c) name a key, which a token must not
// do; crit, b64, zip and cty change how it is read.
func readHeader(part string) (h tokenHeader, err error) {
	m, err := readSegment(part)
	if err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	for name := range m {
		if name != "alg" && name != "typ" && name != "kid" {
			return h, errors.New("header: a member other than alg, typ and kid")
		}
	}
	var ok bool
	if h.alg, ok = m.text("alg"); !ok {
		return h, errors.New("header: alg is not a text")
	}
	if h.typ, ok = m.text("typ"); m.has("typ") && (!ok || h.typ == "") {
		return h, errors.New("header: typ is not a text")
	}
	if h.kid, ok = m.text("kid"); m.has("kid") && (!ok || !isKID(h.kid)) {
		return h, errors.New("header: kid is not a text of 1 to 128 visible characters")
	}
	return h, nil
}

// checkAudience requires that aud is one text of wanted or, where lists are taken, a list of texts with one of them.
func checkAudience(m object, wanted []string, lists bool) error {
	if aud, ok := m.text("aud"); ok && slices.Contains(wanted, aud) {
		return nil
	}
	if all, ok := m.texts("aud"); lists && ok && slices.ContainsFunc(all, func(aud string) bool { return slices.Contains(wanted, aud) }) {
		return nil
	}
	return errors.New("aud does not name us")
}

// errExpired is of a token that is right but for the time.
var errExpired = errors.New("expired")

// tokenTimes is how the times of a token are checked.
type tokenTimes struct {
	now    time.Time
	leeway time.Duration
}

// check requires now < exp, and iat ≤ now and nbf ≤ now where they are there, each with the leeway, and iat < exp without
// it.
func (t tokenTimes) check(m object) (expires time.Time, err error) {
	expires, ok := m.date("exp")
	if !ok {
		return time.Time{}, errors.New("exp is not a time in whole seconds")
	}
	if !t.now.Before(expires.Add(t.leeway)) {
		return time.Time{}, errExpired
	}
	for _, name := range [...]string{"iat", "nbf"} {
		if at, ok := m.date(name); m.has(name) && (!ok || at.After(t.now.Add(t.leeway))) {
			return time.Time{}, errors.New(name + " is in the future or not a time in whole seconds")
		}
	}
	if issued, ok := m.date("iat"); ok && !issued.Before(expires) {
		return time.Time{}, errors.New("iat is not before exp")
	}
	return expires, nil
}
