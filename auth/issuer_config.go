package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IssuerConfig is a foreign issuer whose tokens are taken. Its JSON has the names of the JWT settings of Hasura, so that
// those of an installation serve here too, where they name an issuer and an audience. It prints nothing of itself, since
// Key may be a secret.
//
// Of an issuer is accepted: a header of alg, typ "JWT", "at+jwt" or none, and perhaps a kid, that mean one of its keys;
// iss, exactly; aud, one of Audience or a list with one of them; sub (or Hasura's x-hasura-user-id), 1 to 255 bytes; exp and
// perhaps iat and nbf, in whole seconds.
type IssuerConfig struct {
	Issuer   string   `json:"issuer"`   // claim iss
	Audience textList `json:"audience"` // claim aud: a token must name one of these

	URL        string   `json:"jwk_url"`    // where its keys are; https, or http on this machine
	Algorithms []string `json:"algorithms"` // of those keys: RS256, ES256, EdDSA; empty means all three
	Type       string   `json:"type"`       // the algorithm of Key; with URL: the one of Algorithms
	Key        string   `json:"key"`        // instead of URL: a public key or certificate in PEM, or the secret of HS256

	Email     bool     `json:"email"`      // whether it is trusted to say whose account it is, by claims email and email_verified
	RoleClaim string   `json:"role_claim"` // where the role is: a name or a path like $.a.b; empty means Hasura's default role
	Roles     []string `json:"roles"`      // the roles that may come in; empty means all, and those who have none

	Namespace       string `json:"claims_namespace"`      // the claim that holds Hasura's; empty means https://hasura.io/jwt/claims, if it is there
	NamespacePath   string `json:"claims_namespace_path"` // instead of Namespace: its path, like $.a.b or $
	NamespaceFormat string `json:"claims_format"`         // of that claim: "json", also when empty, or "stringified_json"
	Skew            *int   `json:"allowed_skew"`          // seconds by which its clock and ours may differ, 0 to 30; nil means 30
}

// Format writes no field, whatever the verb: Key may be a secret.
func (IssuerConfig) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.IssuerConfig{…}") }

// textList is a list of texts, of which one alone may be written as itself.
type textList []string

// UnmarshalJSON reads a text or a list of them.
func (l *textList) UnmarshalJSON(doc []byte) error {
	var one string
	if err := json.Unmarshal(doc, &one); err == nil {
		*l = textList{one}
		return nil
	}
	return json.Unmarshal(doc, (*[]string)(l))
}

// maxIssuers bounds the foreign issuers.
const maxIssuers = 16

// ParseIssuers reads foreign issuers from JSON: an object or an array of them. An error says what is wrong with which and
// shows no key.
func ParseIssuers(doc string) ([]IssuerConfig, error) {
	documents := []json.RawMessage{[]byte(doc)}
	if strings.HasPrefix(strings.TrimSpace(doc), "[") {
		if err := json.Unmarshal([]byte(doc), &documents); err != nil {
			return nil, err
		}
	}
	if len(documents) == 0 || len(documents) > maxIssuers {
		return nil, fmt.Errorf("1 to %d issuers, not %d", maxIssuers, len(documents))
	}
	var all []IssuerConfig
	for i, d := range documents {
		c, err := parseIssuer(d)
		if err == nil && slices.ContainsFunc(all, func(other IssuerConfig) bool { return other.Issuer == c.Issuer }) {
			err = errors.New("an issuer before it has the same name")
		}
		if err != nil {
			return nil, fmt.Errorf("issuer %d: %w", i+1, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func parseIssuer(doc []byte) (c IssuerConfig, err error) {
	if _, err := readObject(doc); err != nil { // it refuses names that occur twice
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	_, err = newIssuer(c)
	return c, err
}

// check returns every problem of c but those of its key, joined.
func (c IssuerConfig) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Issuer == "" || len(c.Issuer) > 255 {
		wrong("issuer: the claim iss of its tokens, 1 to 255 bytes")
	}
	if len(c.Audience) == 0 || slices.Contains(c.Audience, "") {
		wrong("audience: the claim aud of its tokens for us")
	}
	if (c.URL == "") == (c.Key == "") {
		wrong("one of jwk_url and key, not both")
	}
	if c.URL != "" {
		if err := checkKeysURL(c.URL); err != nil {
			wrong("jwk_url: %w", err)
		}
	}
	for _, alg := range c.algorithms() {
		if alg != rs256 && alg != es256 && alg != edDSA && (alg != hs256 || c.Key == "") {
			wrong("algorithms: %q is not one of RS256, ES256 and EdDSA; HS256 is for type with a key", alg)
		}
	}
	if c.Key != "" && (c.Type == "" || len(c.Algorithms) > 0) {
		wrong("type: a key has one algorithm")
	}
	if c.Namespace != "" && c.NamespacePath != "" {
		wrong("one of claims_namespace and claims_namespace_path, not both")
	}
	if c.NamespaceFormat != "" && c.NamespaceFormat != "json" && c.NamespaceFormat != "stringified_json" {
		wrong("claims_format: json or stringified_json")
	}
	if c.Skew != nil && (*c.Skew < 0 || *c.Skew > 30) {
		wrong("allowed_skew: 0 to 30 seconds")
	}
	return errors.Join(errs...)
}

// algorithms returns those that its keys may have. "Ed25519" is what Hasura calls EdDSA.
func (c IssuerConfig) algorithms() []string {
	all := slices.Clone(c.Algorithms)
	if c.Type != "" && !slices.Contains(all, c.Type) {
		all = append(all, c.Type)
	}
	if len(all) == 0 {
		return []string{rs256, es256, edDSA}
	}
	for i := range all {
		if all[i] == "Ed25519" {
			all[i] = edDSA
		}
	}
	return all
}

func (c IssuerConfig) skew() time.Duration {
	if c.Skew == nil {
		return 30 * time.Second
	}
	return time.Duration(*c.Skew) * time.Second
}

// checkKeysURL refuses addresses from which keys could come that somebody exchanged on the way.
func checkKeysURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("write https://host/path")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return errors.New("keys are fetched by https, or by http from this machine")
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
