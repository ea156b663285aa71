package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// TokenConfig says how access tokens are made and checked. It never prints its secrets.
type TokenConfig struct {
	Secret   []byte           `json:"-"` // the one HS256 key, at least 32 random bytes; see CheckSecret; or Keys
	Keys     []*TokenKey      `json:"-"` // the first signs, all verify; see ParseTokenKeys
	Issuers  *Issuers         `json:"-"` // whose tokens are taken beside our own; nil for nobody's
	Issuer   string           // claim iss; empty means "readout"
	Audience string           // claim aud; empty means "readout"
	TTL      time.Duration    // how long a token is valid; 0 means 15 minutes; whole seconds, at most 24 hours
	Leeway   time.Duration    // how far the clocks of replicas may differ; 0 means not at all; at most 30 seconds
	Now      func() time.Time `json:"-"` // the clock; nil means time.Now
}

// Format writes no field, whatever the verb: the secret is one of them.
func (TokenConfig) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.TokenConfig{…}") }

// Claims is what a valid token says of a person.
type Claims struct {
	User    int64     // the person's id, if the token is ours; 0 if it is of a foreign issuer
	Session int64     // claim sid: the log-in that an own token is of; 0 if it names none
	Expires time.Time // when the token ends
	ID      string    // claim jti: of an own token random and its alone, of a foreign one empty

	// What a foreign issuer says, and how it names the person: (Issuer, Subject) is one person for ever. Empty in own tokens.
	Issuer  string
	Subject string
	Email   string // verified, in lower case; empty unless the issuer is trusted for addresses
	Role    string // the issuer's word; it says nothing of our projects
}

// Tokens issues and verifies access tokens: JWTs (RFC 7519) in the profile of RFC 9068, signed with one of our keys and
// checked as strictly as RFC 8725 asks; and it verifies those of foreign issuers. Safe for concurrent use.
//
// A token says who somebody is, and not what they may do: rights are looked up, so that they can be taken back before
// the token ends.
type Tokens struct {
	keys             keySet
	header           string // of every token that Issue makes, encoded
	issuers          *Issuers
	known            *knownTokens
	issuer, audience string
	ttl, leeway      time.Duration
	longest          int // bytes of a token that is looked at
	now              func() time.Time
}

// Format writes no field, whatever the verb: the secrets are among them.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.Tokens{…}") }

// NewTokens returns a Tokens, or an error that names each wrong field of c without showing a secret.
func NewTokens(c TokenConfig) (*Tokens, error) {
	c = c.withDefaults()
	keys, err := c.keySet()
	if err := errors.Join(err, c.check()); err != nil {
		return nil, err
	}
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		Key       string `json:"kid,omitempty"`
	}{keys[0].alg(), tokenType, keys[0].id})
	if err != nil {
		return nil, fmt.Errorf("token header: %w", err)
	}
	t := &Tokens{
		keys: keys, header: base64.RawURLEncoding.EncodeToString(header), issuers: c.Issuers, known: newKnownTokens(),
		issuer: c.Issuer, audience: c.Audience,
		ttl: c.TTL, leeway: c.Leeway, longest: maxToken, now: c.Now,
	}
	if c.Issuers.any() {
		t.longest = maxForeignToken
	}
	return t, c.Issuers.checkAgainst(t)
}

// keySet returns the configured keys, of which the first can sign.
func (c TokenConfig) keySet() (keySet, error) {
	switch {
	case len(c.Keys) == 0:
		k, err := newTokenKey("", hs256, slices.Clone(c.Secret))
		if err != nil {
			return nil, fmt.Errorf("token secret: %w", err)
		}
		return keySet{k}, nil
	case len(c.Secret) > 0:
		return nil, errors.New("token keys: give a secret or keys, not both")
	case c.Keys[0].private == nil:
		return nil, errors.New("token keys: the first signs, so it must be private")
	}
	return slices.Clone(c.Keys), nil
}

func (c TokenConfig) withDefaults() TokenConfig {
	if c.Issuer == "" {
		c.Issuer = "readout"
	}
	if c.Audience == "" {
		c.Audience = "readout"
	}
	if c.TTL == 0 {
		c.TTL = 15 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c TokenConfig) check() error {
	var errs []error
	if c.TTL < time.Second || c.TTL > 24*time.Hour || c.TTL%time.Second != 0 {
		errs = append(errs, errors.New("token TTL: must be 1s … 24h, in whole seconds"))
	}
	if c.Leeway < 0 || c.Leeway > 30*time.Second {
		errs = append(errs, errors.New("token leeway: must be 0s … 30s"))
	}
	return errors.Join(errs...)
}

// tokenType is the typ of our access tokens (RFC 9068).
const tokenType = "at+jwt"

// Issue returns a token of no session for the person with this id: see IssueFor.
func (t *Tokens) Issue(user int64) (token string, expires time.Time, err error) {
	return t.IssueFor(user, 0)
}

// IssueFor returns a token for the person with this id, of a session or of none (0), and the time at which it expires, a
// whole second in UTC.
func (t *Tokens) IssueFor(user, session int64) (token string, expires time.Time, err error) {
	if user <= 0 || session < 0 {
		return "", time.Time{}, fmt.Errorf("issue token: %d is no user's id, or %d no session's", user, session)
	}
	var sid string
	if session > 0 {
		sid = strconv.FormatInt(session, 10)
	}
	now := t.now().Truncate(time.Second)
	expires = now.Add(t.ttl).UTC()
	claims, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		IssuedAt int64  `json:"iat"`
		ID       string `json:"jti"`
		Session  string `json:"sid,omitempty"`
	}{t.issuer, strconv.FormatInt(user, 10), t.audience, expires.Unix(), now.Unix(), rand.Text(), sid})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	signed := t.header + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := t.keys[0].method.Sign(signed, t.keys[0].private)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), expires, nil
}

// Verify returns the claims of a token that is valid now. It takes the token alone, without "Bearer" or spaces.
//
// Of our own is accepted what Issue makes, and what others who have a key of ours make in the same form: a header of the
// key's alg, typ "at+jwt" and the key's kid, if it has one; the claims iss, aud (one string, not an array), sub, exp, iat
// and jti, perhaps sid and nbf, times in whole seconds. What is accepted of foreign issuers is said by IssuerConfig. Further claims
// are ignored; a name that occurs twice is refused.
//
// Whatever is wrong, the fault is fault.Unauthenticated with one message; its cause, for the log, holds no part of the
// token. Nothing is ever fetched for a token that nobody trusted has signed, but for the keys of a configured issuer when a
// token names one that is not known: see Issuers.Run.
func (t *Tokens) Verify(token string) (Claims, error) {
	c, err := t.known.verify(token, t.issuers.generation(), t.now(), t.verify)
	if err != nil {
		return Claims{}, refused(fmt.Errorf("verify token: %w", err))
	}
	return c, nil
}

// verify returns the claims of a token, and when it ends for us: at exp and the leeway.
func (t *Tokens) verify(token string) (c verified, err error) {
	parts, err := splitToken(token, t.longest)
	if err != nil {
		return c, err
	}
	h := tokenHeader{alg: t.keys[0].alg(), typ: tokenType, kid: t.keys[0].id}
	if parts.header != t.header {
		if h, err = readHeader(parts.header); err != nil {
			return c, err
		}
	}
	m, err := readSegment(parts.payload)
	if err != nil {
		return c, fmt.Errorf("claims: %w", err)
	}
	switch iss, ok := m.text("iss"); {
	case ok && iss == t.issuer:
		return t.verifyOwn(parts, h, m)
	case ok && t.issuers.find(iss) != nil:
		return t.issuers.find(iss).verify(parts, h, m, t.now())
	default:
		return c, errors.New("claims: iss is nobody's that is trusted")
	}
}

func (t *Tokens) verifyOwn(parts tokenParts, h tokenHeader, m object) (c verified, err error) {
	if h.typ != tokenType {
		return c, errors.New("header: typ is not at+jwt")
	}
	k := t.keys.find(h)
	if k == nil {
		return c, errors.New("header: no key of ours has that alg and kid")
	}
	if err := parts.verify(k); err != nil {
		return c, err
	}
	return t.readClaims(m)
}

// readClaims checks the claims of a token of ours, whose signature is good, against t's configuration and clock.
func (t *Tokens) readClaims(m object) (c verified, err error) {
	if err := checkAudience(m, []string{t.audience}, false); err != nil {
		return c, fmt.Errorf("claims: %w", err)
	}
	var ok bool
	if c.claims.User, ok = m.id("sub"); !ok {
		return c, errors.New("claims: sub is not a user's id")
	}
	if c.claims.ID, ok = m.text("jti"); !ok || c.claims.ID == "" || len(c.claims.ID) > 64 {
		return c, errors.New("claims: jti is not a text of 1 to 64 bytes")
	}
	if c.claims.Session, ok = m.id("sid"); m.has("sid") && !ok {
		return c, errors.New("claims: sid is not a session's id")
	}
	if !m.has("iat") {
		return c, errors.New("claims: iat is missing")
	}
	if c.claims.Expires, err = (tokenTimes{t.now(), t.leeway}).check(m); err != nil {
		return c, fmt.Errorf("claims: %w", err)
	}
	c.until = c.claims.Expires.Add(t.leeway)
	return c, nil
}
