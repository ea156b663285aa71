package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxToken is the longest token looked at, in bytes; Issue makes about 240.
const maxToken = 4 << 10

// splitToken returns the three parts of a token in compact form. It lets through nothing but base64url's alphabet and
// the two dots: base64.Encoding itself skips line breaks.
func splitToken(token string) (header, payload, signature string, err error) {
	if len(token) > maxToken {
		return "", "", "", errors.New("longer than 4 KiB")
	}
	for i := range len(token) {
		if !isTokenByte(token[i]) {
			return "", "", "", errors.New("a byte that is not of base64url")
		}
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return "", "", "", errors.New("not three parts")
	}
	return parts[0], parts[1], parts[2], nil
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

// checkHeader refuses any member but alg, typ and kid. Most others (jku, x5u, jwk, x5c) name a key, which a token must not
// do; crit, b64, zip and cty change how it is read.
func checkHeader(header string) error {
	doc, err := decodeSegment(header)
	if err != nil {
		return err
	}
	m, err := readObject(doc)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for name := range m {
		if name != "alg" && name != "typ" && name != "kid" {
			return errors.New("header: a member other than alg, typ and kid")
		}
	}
	if alg, ok := m.text("alg"); !ok || alg != "HS256" {
		return errors.New("header: alg is not HS256")
	}
	if typ, ok := m.text("typ"); !ok || typ != "at+jwt" {
		return errors.New("header: typ is not at+jwt")
	}
	if _, ok := m.text("kid"); !ok && m.has("kid") {
		return errors.New("header: kid is not a string")
	}
	return nil
}

// readClaims checks the claims in doc, whose signature is good, against t's configuration and clock.
func (t *Tokens) readClaims(doc []byte) (Claims, error) {
	m, err := readObject(doc)
	if err != nil {
		return Claims{}, fmt.Errorf("claims: %w", err)
	}
	if iss, ok := m.text("iss"); !ok || iss != t.issuer {
		return Claims{}, errors.New("claims: iss is not ours")
	}
	if aud, ok := m.text("aud"); !ok || aud != t.audience {
		return Claims{}, errors.New("claims: aud is not exactly ours")
	}
	user, ok := m.userID("sub")
	if !ok {
		return Claims{}, errors.New("claims: sub is not a user's id")
	}
	id, ok := m.text("jti")
	if !ok || id == "" || len(id) > 64 {
		return Claims{}, errors.New("claims: jti is not a text of 1 to 64 bytes")
	}
	expires, err := t.checkTimes(m)
	if err != nil {
		return Claims{}, fmt.Errorf("claims: %w", err)
	}
	return Claims{User: user, Expires: expires, ID: id}, nil
}

// checkTimes requires iat ≤ now < exp, and nbf ≤ now if there is one, each with t's leeway, and iat < exp without it.
func (t *Tokens) checkTimes(m object) (expires time.Time, err error) {
	now := t.now()
	expires, ok := m.date("exp")
	if !ok {
		return time.Time{}, errors.New("exp is not a time in whole seconds")
	}
	if !now.Before(expires.Add(t.leeway)) {
		return time.Time{}, errors.New("expired")
	}
	issued, ok := m.date("iat")
	if !ok {
		return time.Time{}, errors.New("iat is not a time in whole seconds")
	}
	if issued.After(now.Add(t.leeway)) || !issued.Before(expires) {
		return time.Time{}, errors.New("iat is in the future or not before exp")
	}
	if m.has("nbf") {
		if notBefore, ok := m.date("nbf"); !ok || notBefore.After(now.Add(t.leeway)) {
			return time.Time{}, errors.New("nbf is in the future or not a time in whole seconds")
		}
	}
	return expires, nil
}
