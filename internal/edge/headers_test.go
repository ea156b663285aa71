package edge_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/edge"
)

func TestHeadersAreOnEveryAnswerUnlessAHandlerKnowsBetter(t *testing.T) {
	t.Parallel()
	h := edge.Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			w.Header().Set("Cache-Control", "no-cache")
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	for _, c := range []struct {
		path          string
		tls           bool
		policy, cache string
		hsts          string
	}{
		{"/", false, "default-src 'none'", "no-store", ""},
		{"/", true, "default-src 'none'", "no-store", "max-age=31536000"},
		{"/page", true, "default-src 'self'", "no-cache", "max-age=31536000"},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header()
		if got.Get("X-Content-Type-Options") != "nosniff" || got.Get("Referrer-Policy") != "no-referrer" ||
			!strings.HasPrefix(got.Get("Content-Security-Policy"), c.policy) || got.Get("Cache-Control") != c.cache ||
			got.Get("Strict-Transport-Security") != c.hsts {
			t.Errorf("%s, TLS %v: got %v", c.path, c.tls, got)
		}
	}
}
