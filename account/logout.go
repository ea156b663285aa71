package account

import (
	"context"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// serveLogout answers POST /auth/logout: it ends the session of the refresh token in the body or, without one, of the access
// token, or of the refresh token in the cookie. A session that has ended already is no error.
func (a *Accounts) serveLogout(w http.ResponseWriter, r *http.Request) error {
	ending, err := a.sessionToEnd(w, r)
	if err != nil {
		return err
	}
	if err := a.endSession(system(r.Context()), ending); err != nil {
		return err
	}
	forget(w, r)
	return done(w)
}

func (a *Accounts) sessionToEnd(w http.ResponseWriter, r *http.Request) (id int64, err error) {
	secret, inCookie, err := a.readRefresh(w, r)
	if err != nil {
		return 0, err
	}
	hasHeader := r.Header.Get("Authorization") != ""
	if secret != "" && !(inCookie && hasHeader) {
		_, s, err := a.sessionOf(system(r.Context()), secret)
		switch {
		case err == nil:
			return s.ID, nil
		case !fault.Is(err, fault.Unauthenticated):
			return 0, err
		case !hasHeader:
			return 0, nil // it has ended
		}
	}
	p, err := a.person(r)
	if err != nil {
		return 0, err
	}
	return p.Session, nil
}

// forget has a browser forget its cookies, unless another site's page asks for it: whoever logs out there has none of them.
func forget(w http.ResponseWriter, r *http.Request) {
	if auth.CheckOrigin(r) == nil {
		clearCookies(w)
	}
}

// serveLogoutEverywhere answers POST /auth/logout/everywhere: it ends all sessions of a person. The lock keeps one from beginning
// that nobody would tell sockets of.
func (a *Accounts) serveLogoutEverywhere(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	err = a.inTx(r.Context(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.User.Query().Where(user.ID(p.User)).ForUpdate().OnlyID(ctx); err != nil {
			return err
		}
		_, err := tx.Session.Delete().Where(session.UserID(p.User)).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	forget(w, r)
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
