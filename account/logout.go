package account

import (
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/internal/fault"
)

// serveLogout answers POST /auth/logout: it ends the session of the refresh token or, without one, of the access token. A
// session that has ended already is no error.
func (a *Accounts) serveLogout(w http.ResponseWriter, r *http.Request) error {
	secret, _, err := a.readRefresh(w, r)
	if err != nil {
		return err
	}
	var ending int64
	if secret != "" {
		_, s, err := a.sessionOf(system(r.Context()), secret)
		switch {
		case err == nil:
			ending = s.ID
		case !fault.Is(err, fault.Unauthenticated):
			return err
		}
	} else {
		p, err := a.person(r)
		if err != nil {
			return err
		}
		ending = p.Session
	}
	if err := a.endSession(system(r.Context()), ending); err != nil {
		return err
	}
	clearCookies(w)
	return done(w)
}

// serveLogoutEverywhere answers POST /auth/logout/everywhere: it ends all sessions of a person.
func (a *Accounts) serveLogoutEverywhere(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	if _, err := a.Client.Session.Delete().Where(session.UserID(p.User)).Exec(system(r.Context())); err != nil {
		return err
	}
	clearCookies(w)
	return done(w)
}

// person returns who sends a request. Faults: Unauthenticated,
// Forbidden for a key.
func (a *Accounts) person(r *http.Request) (*auth.Principal, error) {
	ctx, err := a.Authenticator.Request(r)
	if err != nil {
		return nil, err
	}
	p := auth.FromContext(ctx)
	switch {
	case p == nil:
		return nil, fault.New(fault.Unauthenticated, "this needs an access token: log in")
	case p.Kind != auth.User:
		return nil, fault.New(fault.Forbidden, "this is for people: a key has no account")
	}
	return p, nil
}
