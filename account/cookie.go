package account

import (
	"net/http"
	"strconv"
	"time"

	"github.com/readout-dev/readout/auth"
)

// reply sends a grant in the body or, for browsers, in cookies that no script can read: the body then says only when they
// end.
func (g Grant) reply(w http.ResponseWriter, cookies bool) error {
	answer := struct {
		AccessToken      string    `json:"accessToken,omitempty"`
		TokenType        string    `json:"tokenType,omitempty"`
		ExpiresAt        time.Time `json:"expiresAt"`
		RefreshToken     string    `json:"refreshToken,omitempty"`
		RefreshExpiresAt time.Time `json:"refreshExpiresAt"`
		SessionID        string    `json:"sessionId"`
	}{g.AccessToken, "Bearer", g.Expires, g.RefreshToken, g.RefreshExpires, strconv.FormatInt(g.Session, 10)}
	if cookies {
		setCookie(w, auth.AccessCookie, g.AccessToken, g.Expires)
		setCookie(w, auth.RefreshCookie, g.RefreshToken, g.RefreshExpires)
		answer.AccessToken, answer.TokenType, answer.RefreshToken = "", "", ""
	}
	return reply(w, http.StatusOK, answer)
}

func setCookie(w http.ResponseWriter, name, value string, expires time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Expires: expires,
		Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// clearCookies has a browser forget what it may have of a session.
func clearCookies(w http.ResponseWriter) {
	setCookie(w, auth.AccessCookie, "", time.Unix(1, 0))
	setCookie(w, auth.RefreshCookie, "", time.Unix(1, 0))
}

// mayHaveCookies refuses to put somebody's session into the browser of whoever looks at another site's page: fault Forbidden.
func mayHaveCookies(r *http.Request, wanted bool) error {
	if !wanted {
		return nil
	}
	return auth.CheckOrigin(r)
}
