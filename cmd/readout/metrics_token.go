package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
)

// minMetricsToken is how long a token has to be so that nobody guesses it, in bytes.
const minMetricsToken = 16

// withToken lets those pass who send the token as Bearer, as Prometheus does with authorization.credentials; all when there is
// no token.
func withToken(token string, h http.Handler) func(http.ResponseWriter, *http.Request) error {
	want := sha256.Sum256([]byte(token)) // of one length, whatever is sent
	return func(w http.ResponseWriter, r *http.Request) error {
		if token != "" {
			given, err := auth.Credential(r)
			if err != nil {
				return err
			}
			if sum := sha256.Sum256([]byte(given)); subtle.ConstantTimeCompare(sum[:], want[:]) != 1 {
				return fault.New(fault.Unauthenticated, "send READOUT_METRICS_TOKEN as Authorization: Bearer …")
			}
		}
		h.ServeHTTP(w, r)
		return nil
	}
}
