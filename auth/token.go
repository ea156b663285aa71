package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenConfig says how access tokens are made and checked. It never prints its secret.
type TokenConfig struct {
	Secret   []byte           `json:"-"` // HS256 key, at least 32 random bytes; see CheckSecret
	Issuer   string           // claim iss; empty means "readout"
	Audience string           // claim aud; empty means "readout"
	TTL      time.Duration    // how long a token is valid; 0 means 15 minutes; whole seconds, at most 24 hours
	Leeway   time.Duration    // how far the clocks of replicas may differ; 0 means not at all; at most 30 seconds
	Now      func() time.Time `json:"-"` // the clock; nil means time.Now
}

// Format writes no field, whatever the verb: the secret is one of them.
func (TokenConfig) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.TokenConfig{…}") }

// Claims is what a valid token says.
type Claims struct {
	User    int64     // claim sub: the person's id, more than 0
	Expires time.Time // claim exp; the token is accepted until then, and for the leeway after
	ID      string    // claim jti: random, of this token alone
}

// Tokens issues and verifies access tokens: JWTs (RFC 7519) in the profile of RFC 9068, signed with HS256 and checked
// as strictly as RFC 8725 asks. Safe for concurrent use.
//
// A token says who somebody is, and not what they may do: rights are looked up, so that they can be taken back before
// the token ends.
type Tokens struct {
	secret           []byte
	issuer, audience string
	ttl, leeway      time.Duration
	now              func() time.Time
}

// Format writes no field, whatever the verb: the secret is one of them.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.Tokens{…}") }

// NewTokens returns a Tokens, or an error that names each wrong field of c without showing the secret.
func NewTokens(c TokenConfig) (*Tokens, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Tokens{
		secret: append([]byte(nil), c.Secret...),
		issuer: c.Issuer, audience: c.Audience,
		ttl: c.TTL, leeway: c.Leeway, now: c.Now,
	}, nil
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
	if err := CheckSecret(c.Secret); err != nil {
		errs = append(errs, fmt.Errorf("token secret: %w", err))
	}
	if c.TTL < time.Second || c.TTL > 24*time.Hour || c.TTL%time.Second != 0 {
		errs = append(errs, errors.New("token TTL: must be 1s … 24h, in whole seconds"))
	}
	if c.Leeway < 0 || c.Leeway > 30*time.Second {
		errs = append(errs, errors.New("token leeway: must be 0s … 30s"))
	}
	return errors.Join(errs...)
}

// tokenHeader is the first part of every token that Issue makes.
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"at+jwt"}`))

// Issue returns a token for the person with this id and the time at which it expires, a whole second in UTC.
func (t *Tokens) Issue(user int64) (token string, expires time.Time, err error) {
	if user <= 0 {
		return "", time.Time{}, fmt.Errorf("issue token: %d is no user's id", user)
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
	}{t.issuer, strconv.FormatInt(user, 10), t.audience, expires.Unix(), now.Unix(), rand.Text()})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := jwt.SigningMethodHS256.Sign(signed, t.secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), expires, nil
}

// Verify returns the claims of a token that is valid now. It takes the token alone, without "Bearer" or spaces.
//
// Accepted is what Issue makes, and what a foreign issuer with the same secret makes in the same form: a header of alg
// "HS256", typ "at+jwt" and perhaps a kid (a string, not used); the claims iss, aud (one string, not an array), sub, exp,
// iat and jti, perhaps nbf, times in whole seconds. Further claims are ignored; a name that occurs twice is refused.
//
// Whatever is wrong, the fault is fault.Unauthenticated with one message; its cause, for the log, holds no part of the
// token.
func (t *Tokens) Verify(token string) (Claims, error) {
	c, err := t.verify(token)
	if err != nil {
		return Claims{}, refused(fmt.Errorf("verify token: %w", err))
	}
	return c, nil
}

func (t *Tokens) verify(token string) (Claims, error) {
	header, payload, signature, err := splitToken(token)
	if err != nil {
		return Claims{}, err
	}
	if header != tokenHeader {
		if err := checkHeader(header); err != nil {
			return Claims{}, err
		}
	}
	sig, err := decodeSegment(signature)
	if err != nil {
		return Claims{}, err
	}
	if err := jwt.SigningMethodHS256.Verify(token[:strings.LastIndexByte(token, '.')], sig, t.secret); err != nil {
		return Claims{}, err
	}
	doc, err := decodeSegment(payload)
	if err != nil {
		return Claims{}, err
	}
	return t.readClaims(doc)
}
