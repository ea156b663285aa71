package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// issuer is a foreign one whose tokens are taken.
type issuer struct {
	IssuerConfig
	allowed []string // algorithms
	place   namespace
	role    []string // path of the role's claim; nil for Hasura's default role
	keys    atomic.Pointer[keySet]
	missed  func() // is told of a token, right but for its signature, whose key is not known
	fetched time.Time
}

func newIssuer(c IssuerConfig) (*issuer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	i := &issuer{IssuerConfig: c, allowed: c.algorithms(), missed: func() {}}
	i.keys.Store(new(keySet))
	var err error
	if i.place, err = newNamespace(c); err != nil {
		return nil, err
	}
	if c.RoleClaim != "" {
		if i.role, err = parsePath(c.RoleClaim); err != nil {
			return nil, fmt.Errorf("role_claim: %w", err)
		}
		if len(i.role) == 0 {
			return nil, errors.New("role_claim: the claims as a whole are no role")
		}
	}
	if c.Key != "" {
		k, err := i.ownKey()
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		i.keys.Store(&keySet{k})
	}
	return i, nil
}

// ownKey returns the key that the configuration holds.
func (i *issuer) ownKey() (*TokenKey, error) {
	if i.allowed[0] == hs256 {
		return newTokenKey("", hs256, []byte(i.Key))
	}
	keys, err := parsePEM(i.Key)
	switch {
	case err != nil:
		return nil, err
	case len(keys) != 1 || keys[0].private != nil:
		return nil, errors.New("one public key, and no private one")
	case keys[0].alg() != i.allowed[0]:
		return nil, fmt.Errorf("type says %s, and the key is one of %s", i.allowed[0], keys[0].alg())
	}
	return keys[0], nil
}

// verify returns what a token of this issuer says, its header and claims having been read.
func (i *issuer) verify(parts tokenParts, h tokenHeader, m object, now time.Time) (c verified, err error) {
	if h.typ != "" && h.typ != "JWT" && h.typ != tokenType {
		return c, errors.New("header: typ is neither JWT nor at+jwt")
	}
	if !slices.Contains(i.allowed, h.alg) {
		return c, errors.New("header: alg is not one of the issuer's")
	}
	k := i.keys.Load().find(h)
	if k == nil {
		if _, err := i.claims(m, now); err == nil && i.URL != "" { // so not everything that anybody makes up leads to a fetch
			i.missed()
		}
		return c, errors.New("header: no key of the issuer has that alg and kid")
	}
	if err := parts.verify(k); err != nil {
		return c, err
	}
	c, err = i.claims(m, now)
	if err != nil {
		return c, fmt.Errorf("claims: %w", err)
	}
	return c, nil
}

// claims checks all claims but iss, and maps them.
func (i *issuer) claims(m object, now time.Time) (c verified, err error) {
	if err := checkAudience(m, i.Audience, true); err != nil {
		return c, err
	}
	expires, err := (tokenTimes{now, i.skew()}).check(m)
	if err != nil {
		return c, err
	}
	c.until = expires.Add(i.skew())
	c.claims = Claims{Issuer: i.Issuer, Expires: c.until, Email: i.email(m)}
	mapped, err := i.place.read(m)
	if err != nil {
		return c, err
	}
	if c.claims.Subject = mapped.user; c.claims.Subject == "" {
		c.claims.Subject, _ = m.text("sub")
	}
	if !isSubject(c.claims.Subject) {
		return c, errors.New("sub is not a text of 1 to 255 bytes")
	}
	c.claims.Role, err = i.roleOf(m, mapped.role)
	return c, err
}

// email returns the address that the issuer vouches for, "" if it is not trusted for that or does not.
func (i *issuer) email(m object) string {
	text, _ := m.text("email")
	if !i.Email || m["email_verified"] != "true" {
		return ""
	}
	email, _ := Address(text)
	return email
}

// roleOf returns the role, by is Hasura's, and refuses those that may not come in.
func (i *issuer) roleOf(m object, by string) (string, error) {
	if i.role != nil {
		value, err := m.at(i.role)
		if err != nil {
			return "", err
		}
		by, _ = unquote(value)
	}
	if len(i.Roles) > 0 && !slices.Contains(i.Roles, by) {
		return "", errors.New("the role is not one of those that may come in")
	}
	return by, nil
}

func isSubject(s string) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }
	return 0 < len(s) && len(s) <= 255 && !strings.ContainsFunc(s, control)
}
