package account

import (
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
)

// serveRefresh answers POST /auth/refresh: the token is in the body or, for browsers, in the cookie, and the answer is where
// the token was, unless the body asks for cookies.
func (a *Accounts) serveRefresh(w http.ResponseWriter, r *http.Request) error {
	secret, cookies, err := a.readRefresh(w, r)
	if err != nil {
		return err
	}
	if secret == "" {
		return fault.New(fault.MissingField, "the field refreshToken is missing")
	}
	grant, err := a.Refresh(r.Context(), secret)
	if err != nil {
		return err
	}
	return grant.reply(w, cookies)
}

// readRefresh returns the refresh token of a request, "" for none, and whether the answer goes into cookies.
func (a *Accounts) readRefresh(w http.ResponseWriter, r *http.Request) (secret string, cookies bool, err error) {
	in, err := a.readOrEmpty(w, r, maxBody, "refreshToken", "cookies")
	if err != nil {
		return "", false, err
	}
	secret, cookies = in.optional("refreshToken", ""), in.flag("cookies")
	if in.err != nil {
		return "", false, in.err
	}
	if secret != "" {
		return secret, cookies, mayHaveCookies(r, cookies)
	}
	secret, err = auth.RefreshCredential(r)
	return secret, true, err
}
