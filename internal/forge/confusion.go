package forge

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// confused are tokens signed by HMAC with something that is no secret: the public key in every form, or what a careless
// server has for a secret.
func (t Target) confused() []Token {
	secrets := map[string][]byte{
		"nothing": {}, "NUL": {0}, "32 NULs": make([]byte, 32), "the kid": []byte(t.KID), "the issuer": []byte(t.Issuer), "secret": []byte("secret"),
		"a sample": []byte("your-256-bit-secret"), "null": []byte("null"),
	}
	maps.Copy(secrets, publicForms(t.Public))
	kids := []string{"", strconv.Quote(t.KID)}
	for _, other := range t.Others {
		if other.Method.Alg() == "HS256" && other.KID != "" {
			kids = append(kids, strconv.Quote(other.KID))
		}
	}
	var all []Token
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		for _, method := range []*jwt.SigningMethodHMAC{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
			for _, kid := range kids {
				header := t.header("alg", strconv.Quote(method.Name), "kid", kid)
				all = append(all, Token{method.Name + " with " + name + " and kid " + kid, signWith(method, secrets[name], header, t.claims())})
			}
		}
		all = append(all, Token{"our header over HS256 with " + name, signWith(jwt.SigningMethodHS256, secrets[name], t.header(), t.claims())})
	}
	return append(all, t.otherMethods()...)
}

// publicForms returns the writings of a public key that somebody could take for a secret.
func publicForms(public any) map[string][]byte {
	if public == nil {
		return nil
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	forms := map[string][]byte{
		"the public key in PEM":                      text,
		"the public key in PEM without a line break": []byte(strings.TrimSpace(string(text))),
		"the public key in PEM of Windows":           []byte(strings.ReplaceAll(string(text), "\n", "\r\n")),
		"the public key in PEM without its frame":    []byte(strings.Join(lines[1:len(lines)-1], "")),
		"the public key in DER":                      der,
		"the public key in base64":                   []byte(base64.StdEncoding.EncodeToString(der)),
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		pkcs1 := x509.MarshalPKCS1PublicKey(k)
		forms["the public key as PKCS 1"] = pkcs1
		forms["the public key as PKCS 1 in PEM"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})
		forms["the modulus"] = k.N.Bytes()
		forms["the modulus in base64url"] = []byte(encode(k.N.Bytes()))
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		forms["the point"] = point
		forms["the x of the point"] = point[1:33]
		forms["the x of the point in base64url"] = []byte(encode(point[1:33]))
	case ed25519.PublicKey:
		forms["the point"] = k
		forms["the point in base64url"] = []byte(encode(k))
	}
	return forms
}

// otherMethods are tokens signed with the right key in another way than is its.
func (t Target) otherMethods() []Token {
	var methods []jwt.SigningMethod
	switch t.Key.(type) {
	case []byte:
		methods = []jwt.SigningMethod{jwt.SigningMethodHS384, jwt.SigningMethodHS512}
	case *rsa.PrivateKey:
		methods = []jwt.SigningMethod{
			jwt.SigningMethodRS384, jwt.SigningMethodRS512, jwt.SigningMethodPS256, jwt.SigningMethodPS384, jwt.SigningMethodPS512,
		}
	}
	var all []Token
	for _, method := range methods {
		named := t.header("alg", strconv.Quote(method.Alg()))
		all = append(
			all,
			Token{method.Alg() + " with the right key", signWith(method, t.Key, named, t.claims())},
			Token{method.Alg() + " under our alg", signWith(method, t.Key, t.header(), t.claims())},
		)
	}
	return all
}

// strangers are tokens of keys that nobody trusts, some of which bring their key along.
func (t Target) strangers() []Token {
	method, key, jwk := stranger(t.Method)
	claims := t.claims()
	alg := strconv.Quote(method.Alg())
	all := []Token{
		{"a stranger's key under our header", signWith(method, key, t.header(), claims)},
		{"a stranger's key without a kid", signWith(method, key, t.header("kid", ""), claims)},
		{"a stranger's key and kid", signWith(method, key, t.header("kid", `"stranger"`), claims)},
		{"a stranger's key in jwk", signWith(method, key, t.header("jwk", jwk), claims)},
		{"a stranger's key in jwk with its own kid", signWith(method, key, t.header("kid", `"stranger"`, "jwk", jwk), claims)},
		{"a stranger's key in the claims", signWith(method, key, t.header(), t.claims("cnf", `{"jwk":`+jwk+`}`, "jwk", jwk))},
		{"a stranger's address in the claims", signWith(method, key, t.header(), t.claims("jwks_uri", strconv.Quote(t.Trap)))},
	}
	for _, member := range []string{"jku", "x5u", "kid", "iss"} {
		header := t.header("alg", alg, member, strconv.Quote(t.Trap+"/keys.json"))
		all = append(all, Token{"a stranger's key at " + member, signWith(method, key, header, claims)})
	}
	for _, iss := range []string{t.Trap, t.Trap + "/", strings.Replace(t.Trap, "127.0.0.1", "localhost", 1), "stranger"} {
		all = append(all, Token{"a stranger's key and iss " + iss, signWith(method, key, t.header("kid", `"stranger"`), t.claims("iss", strconv.Quote(iss)))})
	}
	return all
}

// stranger returns a new key for a method, and how it is written as a JWK.
func stranger(method jwt.SigningMethod) (_ jwt.SigningMethod, key any, jwk string) {
	switch method.Alg() {
	case "RS256":
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return method, k, fmt.Sprintf(`{"kty":"RSA","alg":"RS256","kid":"stranger","n":%q,"e":"AQAB"}`, encode(k.N.Bytes()))
	case "ES256":
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		return method, k, fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"stranger","x":%q,"y":%q}`, encode(point[1:33]), encode(point[33:]))
	case "EdDSA":
		public, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		return method, k, fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"stranger","x":%q}`, encode(public))
	default:
		k := []byte(rand.Text() + rand.Text())
		return method, k, fmt.Sprintf(`{"kty":"oct","kid":"stranger","k":%q}`, encode(k))
	}
}
