package account

import (
	"context"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/internal/fault"
)

// ChangeEmail has a link mailed to the address that whoever asks wants to have, and the one that they have told of it; the new
// one counts when the link is followed. Where no address is verified it counts at once. Faults: Unauthenticated for the
// password, Invalid, TooMany; Conflict only where it counts at once.
func (a *Accounts) ChangeEmail(ctx context.Context, p *auth.Principal, password, email string) error {
	u, err := a.Client.User.Get(system(ctx), p.User)
	if err != nil {
		return err
	}
	if email, err = auth.Address(email); err != nil {
		return err
	}
	if err := a.proveAgain(ctx, u, password); err != nil {
		return err
	}
	if a.Letters == nil {
		err := u.Update().SetEmail(email).Exec(system(ctx))
		if db.IsConstraintError(err) {
			return fault.New(fault.Conflict, "this address has an account")
		}
		return err
	}
	for _, mailbox := range []string{u.Email, email} { // both are written to
		if ok, wait := a.byMailbox.Allow(mailbox); !ok {
			return fault.New(fault.TooMany, "enough was sent to %s: wait, then try again", mailbox).After(wait)
		}
	}
	return a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := unchanged(ctx, tx, u); err != nil {
			return err
		}
		if _, err := tx.Challenge.Delete().Where(challenge.UserID(u.ID), challenge.KindEQ(challenge.KindEMAIL)).Exec(ctx); err != nil {
			return err
		}
		err := tx.Challenge.Create().SetUserID(u.ID).SetKind(challenge.KindEMAIL).SetAddress(email).
			SetExpiresAt(a.now().Add(verifyLasts)).Exec(ctx)
		if err != nil {
			return err
		}
		return a.Letters.Add(ctx, tx, Letter{User: u.ID, What: letterEmail})
	})
}

// serveEmail answers POST /auth/email.
func (a *Accounts) serveEmail(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r, "password", "email")
	if err != nil {
		return err
	}
	password, email := in.text("password"), in.text("email")
	if in.err != nil {
		return in.err
	}
	if err := a.ChangeEmail(r.Context(), p, password, email); err != nil {
		return err
	}
	if a.Letters == nil {
		return done(w)
	}
	return sent(w)
}
