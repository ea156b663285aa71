package transport

import (
	"net/http"
	"net/url"
	"strings"
)

// SameOrigin reports whether r comes from a page of this host, or from no page at all (no Origin header: not a browser).
// It refuses the origin "null", more than one Origin, and pages of plain http where r came over TLS.
func SameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 || !strings.EqualFold(origin.Host, r.Host) {
		return false
	}
	return origin.Scheme == "https" || origin.Scheme == "http" && r.TLS == nil
}
