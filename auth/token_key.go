package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// The algorithms that tokens are signed with, by their names in RFC 7518 and RFC 8037.
const (
	hs256 = "HS256"
	rs256 = "RS256"
	es256 = "ES256"
	edDSA = "EdDSA"
)

// TokenKey is a key of tokens and the one algorithm that it is used with (RFC 8725, 3.1). It prints nothing of itself.
// Safe for concurrent use.
type TokenKey struct {
	id      string // kid; empty for a plain secret, and for the one key of a foreign issuer
	method  jwt.SigningMethod
	private any // what signs: []byte, *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey; nil where it is not known
	public  any // what verifies
}

// Format writes no field, whatever the verb: the private part is one of them.
func (*TokenKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.TokenKey{…}") }

// newTokenKey returns a key whose algorithm is that of its type; alg is what the key says of itself, if it does.
func newTokenKey(id, alg string, key any) (*TokenKey, error) {
	k := &TokenKey{id: id, private: key}
	var err error
	switch key := key.(type) {
	case []byte:
		k.method, k.public, err = jwt.SigningMethodHS256, key, CheckSecret(key)
	case *rsa.PrivateKey:
		k.method, k.public, err = jwt.SigningMethodRS256, &key.PublicKey, errors.Join(key.Validate(), checkRSA(&key.PublicKey))
	case *rsa.PublicKey:
		k.method, k.public, k.private, err = jwt.SigningMethodRS256, key, nil, checkRSA(key)
	case *ecdsa.PrivateKey:
		k.method, k.public, err = jwt.SigningMethodES256, &key.PublicKey, checkCurve(&key.PublicKey)
	case *ecdsa.PublicKey:
		k.method, k.public, k.private, err = jwt.SigningMethodES256, key, nil, checkCurve(key)
	case ed25519.PrivateKey:
		k.method, k.public = jwt.SigningMethodEdDSA, key.Public()
	case ed25519.PublicKey:
		k.method, k.public, k.private = jwt.SigningMethodEdDSA, key, nil
	default:
		return nil, fmt.Errorf("a key of the type %T is not understood: take RSA, P-256, Ed25519 or a secret", key)
	}
	if err == nil && alg != "" && alg != k.alg() {
		err = fmt.Errorf("its alg is %q, and a key of its kind is used with %s", alg, k.alg())
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// checkRSA refuses what is weak, and what would take long to verify with.
func checkRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < 2048 || bits > 8192 {
		return fmt.Errorf("an RSA key has 2048 to 8192 bits, not %d", bits)
	}
	if k.E < 3 || k.E%2 == 0 {
		return errors.New("the exponent of an RSA key is odd and at least 3")
	}
	return nil
}

func checkCurve(k *ecdsa.PublicKey) error {
	if k.Curve != elliptic.P256() {
		return fmt.Errorf("an EC key is of the curve P-256, not %s", k.Params().Name)
	}
	return nil
}

func (k *TokenKey) alg() string { return k.method.Alg() }

// asymmetric reports whether the public part says nothing of the private one, so that it may be shown.
func (k *TokenKey) asymmetric() bool { return k.alg() != hs256 }

// thumbprint is the key's name by RFC 7638, in base64url. Of an asymmetric key only: of a secret it would be a hash.
func (k *TokenKey) thumbprint() (string, error) {
	sum, err := (&jose.JSONWebKey{Key: k.public}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// keySet holds the keys of one issuer, few of them.
type keySet []*TokenKey

// find returns the key that a header means: the one of its kid and its alg; where it has no kid, the only one of its
// alg. It returns nil if there is none.
func (s keySet) find(h tokenHeader) *TokenKey {
	var found *TokenKey
	for _, k := range s {
		switch {
		case k.alg() != h.alg:
		case h.kid != "" && k.id == h.kid:
			return k
		case h.kid == "" && found != nil:
			return nil
		case h.kid == "":
			found = k
		}
	}
	return found
}

// same reports whether s and other hold the same keys under the same names, in the same order.
func (s keySet) same(other keySet) bool {
	return slices.EqualFunc(s, other, func(a, b *TokenKey) bool { return a.id == b.id && sameKey(a.public, b.public) })
}

// sameKey compares public parts.
func sameKey(a, b any) bool {
	if secret, ok := a.([]byte); ok {
		other, ok := b.([]byte)
		return ok && subtle.ConstantTimeCompare(secret, other) == 1
	}
	public, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(b)
}

// checkNames refuses kids that tokens cannot name, and those that two keys have.
func (s keySet) checkNames() error {
	for i, k := range s {
		if !isKID(k.id) {
			return fmt.Errorf("key %d: a kid has 1 to 128 visible characters of ASCII", i+1)
		}
		if slices.ContainsFunc(s[:i], func(other *TokenKey) bool { return other.id == k.id }) {
			return fmt.Errorf("key %d: its kid is that of a key before it", i+1)
		}
	}
	return nil
}

func isKID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 128
}
