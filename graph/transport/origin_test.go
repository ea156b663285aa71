package transport_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/readout-dev/readout/graph/transport"
)

func TestSameOriginTakesPagesOfThisHostOnly(t *testing.T) {
	t.Parallel()
	f := func(want, secure bool, origins ...string) {
		t.Helper()
		r := &http.Request{Host: "app.example:8080", Header: http.Header{"Origin": origins}}
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		if got := transport.SameOrigin(r); got != want {
			t.Errorf("%v (TLS %v): want %v", origins, secure, want)
		}
	}
	f(true, false)
	f(true, true)
	f(true, false, "http://app.example:8080")
	f(true, false, "https://APP.example:8080") // TLS may end at a proxy
	f(true, true, "https://app.example:8080")
	f(false, true, "http://app.example:8080")
	f(false, false, "http://app.example")
	f(false, false, "https://evil.example")
	f(false, false, "https://app.example:8080.evil.example")
	f(false, false, "https://app.example:8080@evil.example")
	f(false, false, "null")
	f(false, false, "")
	f(false, false, "://")
	f(false, false, "ws://app.example:8080")
	f(false, false, "http://app.example:8080", "http://app.example:8080")
}
