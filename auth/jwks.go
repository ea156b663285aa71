package auth

import (
	"net/http"
)

// ServeJWKS answers GET /.well-known/jwks.json: the public parts of the keys that our tokens are signed with, as a JWK set
// (RFC 7517), so that others can verify them. Secrets are not among them: with HS256 alone the set is empty.
func (t *Tokens) ServeJWKS(w http.ResponseWriter, _ *http.Request) error {
	doc, err := publicJWKs(t.keys)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err = w.Write(doc)
	return err
}
