package edge

import "net/http"

// hsts tells browsers to use TLS alone for a year (RFC 6797). Not for subdomains, which are not ours to speak of.
const hsts = "max-age=31536000"

// Headers sets what browsers are told of an answer unless its handler knows better: not to guess its type, to send no
// referrer, to load and run nothing of it, to show it in no frame, and to keep it nowhere. Over TLS of our own they are told
// to come by TLS from then on; a proxy that ends TLS says that itself.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", hsts)
		}
		next.ServeHTTP(w, r)
	})
}
