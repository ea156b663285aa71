package auth

import (
	"net/http"

	"github.com/readout-dev/readout/internal/fault"
)

// The cookies by which browsers may keep what others send as Bearer. The prefix has browsers refuse them unless they are
// Secure, of this host alone and of the path "/" (RFC 6265bis, 4.1.3.2).
const (
	AccessCookie  = "__Host-readout_access"
	RefreshCookie = "__Host-readout_refresh"
)

var crossOrigin = http.NewCrossOriginProtection()

// fromCookie returns what a cookie holds, "" when there is none. A browser sends cookies whoever made it send the request,
// so one that says that it comes from another site's page is refused, whatever its method: queries come by GET, too, and
// so do sockets. Fault: Forbidden.
func fromCookie(r *http.Request, name string) (string, error) {
	cookie, err := r.Cookie(name)
	if err != nil {
		return "", nil //nolint:nilerr // there is none
	}
	return cookie.Value, CheckOrigin(r)
}

// CheckOrigin refuses a request that another site's page sent, as far as browsers say so: fault Forbidden. What is no
// browser passes.
func CheckOrigin(r *http.Request) error {
	writing := &http.Request{Method: http.MethodPost, Header: r.Header, Host: r.Host, URL: r.URL}
	if err := crossOrigin.Check(writing); err != nil {
		return fault.Wrap(err, fault.Forbidden, "a page of another site sent this")
	}
	return nil
}

// RefreshCredential returns the refresh token that a browser has in its cookie, "" when there is none. Fault: Forbidden.
func RefreshCredential(r *http.Request) (string, error) { return fromCookie(r, RefreshCookie) }
