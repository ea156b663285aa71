package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxOwnKeys bounds the keys that our own tokens may be signed with.
const maxOwnKeys = 16

// ParseTokenKeys reads the keys of our tokens from a JWK set (RFC 7517) or from PEM blocks. The first signs and must be
// private; each verifies. An RSA key is used with RS256, one of P-256 with ES256, of Ed25519 with EdDSA, a secret ("oct",
// in a JWK alone) with HS256. A key without a kid gets its thumbprint (RFC 7638); a secret must have one. An error says
// which key is wrong, and shows none.
func ParseTokenKeys(doc string) ([]*TokenKey, error) {
	parse := parsePEM
	if strings.HasPrefix(strings.TrimSpace(doc), "{") {
		parse = parseOwnJWKs
	}
	keys, err := parse(doc)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || len(keys) > maxOwnKeys {
		return nil, fmt.Errorf("1 to %d keys, not %d", maxOwnKeys, len(keys))
	}
	for i, k := range keys {
		if k.id != "" {
			continue
		}
		if !k.asymmetric() {
			return nil, fmt.Errorf("key %d: a secret needs a kid", i+1)
		}
		if k.id, err = k.thumbprint(); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
	}
	if keys[0].private == nil {
		return nil, errors.New("the first key signs, so it must be private")
	}
	return keys, keySet(keys).checkNames()
}

// parsePEM reads each block of PEM text: private and public keys and certificates, whose keys have no kid.
func parsePEM(doc string) ([]*TokenKey, error) {
	var keys []*TokenKey
	for rest := []byte(doc); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "EC PARAMETERS" { // openssl writes them before the key, which says so itself
			continue
		}
		parsed, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", len(keys)+1, block.Type, err)
		}
		k, err := newTokenKey("", "", parsed)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", len(keys)+1, block.Type, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("neither a JWK set nor PEM")
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return c.PublicKey, nil
	default:
		return nil, errors.New("neither a private key without a password, nor a public key, nor a certificate")
	}
}

// parseOwnJWKs reads a JWK set, or one JWK, of which every key must be understood.
func parseOwnJWKs(doc string) ([]*TokenKey, error) {
	documents := []json.RawMessage{[]byte(doc)}
	if m, err := readObject([]byte(doc)); err != nil {
		return nil, err
	} else if m.has("keys") {
		if documents, err = splitJWKs([]byte(doc)); err != nil {
			return nil, err
		}
	}
	keys := make([]*TokenKey, 0, len(documents))
	for i, d := range documents {
		k, err := parseJWK(d)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// splitJWKs returns the keys of a JWK set as they are written.
func splitJWKs(doc []byte) ([]json.RawMessage, error) {
	m, err := readObject(doc)
	if err != nil {
		return nil, err
	}
	var documents []json.RawMessage
	if err := json.Unmarshal([]byte(m["keys"]), &documents); !m.has("keys") || err != nil {
		return nil, errors.New("not a JWK set: keys is not an array")
	}
	return documents, nil
}

// errNotForSignatures is what a key says that has another purpose.
var errNotForSignatures = errors.New("it is not for signatures, by its use or key_ops")

// parseJWK reads one key. A certificate in it (x5c) must be of the same key, and nothing is fetched (x5u).
func parseJWK(doc []byte) (*TokenKey, error) {
	m, err := readObject(doc)
	if err != nil {
		return nil, err
	}
	if m.has("key_ops") {
		var operations []string
		if err := json.Unmarshal([]byte(m["key_ops"]), &operations); err != nil || !slices.Contains(operations, "verify") && !slices.Contains(operations, "sign") {
			return nil, errNotForSignatures
		}
	}
	var k jose.JSONWebKey
	if err := k.UnmarshalJSON(doc); err != nil {
		return nil, err
	}
	if k.Use != "" && k.Use != "sig" {
		return nil, errNotForSignatures
	}
	return newTokenKey(k.KeyID, k.Algorithm, k.Key)
}

// publicJWKs writes the public parts of the asymmetric keys as a JWK set.
func publicJWKs(keys keySet) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		if k.asymmetric() {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.id, Algorithm: k.alg(), Use: "sig"})
		}
	}
	doc, err := json.Marshal(set)
	return bytes.TrimSpace(doc), err
}
