package account

import (
	"context"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
)

// SetPassword gives an account a new password and ends its sessions; a fault Invalid when it is not taken. For the program's
// own use: it does not ask for the old one.
func (a *Accounts) SetPassword(ctx context.Context, u *db.User, password string) error {
	return a.setPassword(ctx, u, password, session.UserID(u.ID))
}

// ChangePassword gives whoever asks a new password for the old one, and ends their other sessions. Faults: Unauthenticated,
// Invalid, TooMany.
func (a *Accounts) ChangePassword(ctx context.Context, p *auth.Principal, old, password string) error {
	u, err := a.Client.User.Get(system(ctx), p.User)
	if err != nil {
		return err
	}
	if err := a.proveAgain(ctx, u, old); err != nil {
		return err
	}
	return a.setPassword(ctx, u, password, session.UserID(u.ID), session.IDNEQ(p.Session))
}

func (a *Accounts) setPassword(ctx context.Context, u *db.User, password string, ending ...predicate.Session) error {
	if err := auth.CheckPassword(password, u.Email); err != nil {
		return err
	}
	hash, err := a.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.User.UpdateOneID(u.ID).SetPassword(hash).Exec(ctx); err != nil {
			return err
		}
		// What was asked for with the old password, such as another address, must do nothing.
		if _, err := tx.Challenge.Delete().Where(challenge.UserID(u.ID)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.Session.Delete().Where(ending...).Exec(ctx)
		return err
	})
}

// Reset uses the token of a link to set a password, and ends all sessions. Whoever has the link reads the mail of the address,
// so the account is verified with it. Faults: BadRequest for a token that is not valid any more, Invalid for the password, by
// which the link is not used up.
func (a *Accounts) Reset(ctx context.Context, token, password string) error {
	c, err := a.find(system(ctx), a.Client.Challenge, token, challenge.KindRESET)
	if err != nil {
		return err
	}
	if err := auth.CheckPassword(password, c.Address); err != nil {
		return err
	}
	hash, err := a.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := use(ctx, tx, c); err != nil {
			return err
		}
		if err := tx.User.UpdateOneID(c.UserID).SetPassword(hash).Exec(ctx); err != nil {
			return err
		}
		if err := tx.User.Update().Where(user.ID(c.UserID), user.VerifiedAtIsNil()).SetVerifiedAt(a.now()).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.Session.Delete().Where(session.UserID(c.UserID)).Exec(ctx)
		return err
	})
}

// servePassword answers POST /auth/password.
func (a *Accounts) servePassword(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r, "old", "new")
	if err != nil {
		return err
	}
	old, password := in.text("old"), in.text("new")
	if in.err != nil {
		return in.err
	}
	if err := a.ChangePassword(r.Context(), p, old, password); err != nil {
		return err
	}
	return done(w)
}

// serveReset answers POST /auth/password/reset.
func (a *Accounts) serveReset(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "token", "password")
	if err != nil {
		return err
	}
	token, password := in.text("token"), in.text("password")
	if in.err != nil {
		return in.err
	}
	if a.Letters == nil {
		return errNoMail
	}
	if err := a.Reset(r.Context(), token, password); err != nil {
		return err
	}
	return done(w)
}
