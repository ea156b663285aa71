package edge

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"
)

// Origins are the origins, beside our own, whose pages may call: by fetch, WebSocket and streams. Nil is none. Safe for
// concurrent use.
type Origins []string

// ParseOrigins reads origins such as https://app.example.com or http://localhost:5173, separated by commas. Each is exact:
// there are no patterns, as whoever can put a page below a pattern could use it.
func ParseOrigins(list string) (Origins, error) {
	var all Origins
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		u, err := url.Parse(item)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Contains(item, "*") ||
			!strings.EqualFold(item, u.Scheme+"://"+u.Host) {
			return nil, fmt.Errorf("%q is not an origin: write https://app.example.com, without a path and without *", item)
		}
		all = append(all, canonical(u))
	}
	return all, nil
}

// canonical is an origin as browsers write it: in lower case, without the port that goes without saying.
func canonical(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// Allow reports whether r comes from a page of one of the origins.
func (o Origins) Allow(r *http.Request) bool {
	given := r.Header.Values("Origin")
	return len(given) == 1 && slices.Contains(o, strings.ToLower(given[0]))
}

// preflight is for how long browsers remember what they may send.
const preflight = 10 * time.Minute

// CORS lets pages of the origins call what is below the paths, each of which ends in "/" or is whole; preflight requests are
// answered here. Credentials mode is not allowed: such pages send a bearer token, cookies are for our own. It says what
// browsers need and refuses nobody, as the same-origin policy is theirs.
func (o Origins) CORS(next http.Handler, paths ...string) http.Handler {
	if len(o) == 0 {
		return next
	}
	open := cors.New(cors.Options{
		AllowedOrigins: o,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"*"}, // of exact origins; tracing and clients' names come in headers of many names
		ExposedHeaders: []string{"Retry-After", "X-Request-Id", "Content-Disposition", "ETag"},
		MaxAge:         int(preflight.Seconds()),
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.ContainsFunc(paths, func(p string) bool {
			return r.URL.Path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(r.URL.Path, p)
		}) {
			open.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
