package account

import (
	"context"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

var errNoMail = fault.New(fault.Forbidden, "this server sends no mail: ask whoever runs it")

// Verify uses the token of a link that proves an address: a new account may log in, or an account has its new address. For a new
// account it takes the password too: somebody else may have registered the address, and whose mailbox it is must not open them
// the account. Who does not know the password resets it. Faults: BadRequest for a token that is not valid any more;
// MissingField, Unauthenticated and TooMany for the password, by which the link is not used up; Conflict for an address that has
// an account meanwhile.
func (a *Accounts) Verify(ctx context.Context, token, password string) error {
	c, err := a.find(system(ctx), a.Client.Challenge, token, challenge.KindVERIFY, challenge.KindEMAIL)
	if err != nil {
		return err
	}
	isNew := c.Kind == challenge.KindVERIFY
	if isNew {
		if password == "" {
			return fault.New(fault.MissingField, "the field password is missing")
		}
		if err := a.proveAgain(ctx, c.Edges.User, password); err != nil {
			return err
		}
	}
	return a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if isNew {
			if err := unchanged(ctx, tx, c.Edges.User); err != nil {
				return err
			}
		}
		if err := use(ctx, tx, c); err != nil {
			return err
		}
		err := tx.User.UpdateOneID(c.UserID).SetEmail(c.Address).SetVerifiedAt(a.now()).Exec(ctx)
		if db.IsConstraintError(err) {
			return fault.New(fault.Conflict, "this address has an account")
		}
		return err
	})
}

// serveVerify answers POST /auth/verify.
func (a *Accounts) serveVerify(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "token", "password")
	if err != nil {
		return err
	}
	token, password := in.text("token"), in.optional("password", "")
	if in.err != nil {
		return in.err
	}
	if err := a.Verify(r.Context(), token, password); err != nil {
		return err
	}
	return done(w)
}

// serveResend answers POST /auth/verify/resend.
func (a *Accounts) serveResend(w http.ResponseWriter, r *http.Request) error {
	return a.serveLetter(w, r, letterVerify)
}

// serveForgot answers POST /auth/password/forgot.
func (a *Accounts) serveForgot(w http.ResponseWriter, r *http.Request) error {
	return a.serveLetter(w, r, letterReset)
}

// serveLetter has a letter written to whoever has an account. Whether there is one shows neither in the answer nor in its
// time: for nobody there is a job, too.
func (a *Accounts) serveLetter(w http.ResponseWriter, r *http.Request, what string) error {
	in, err := a.read(w, r, "email")
	if err != nil {
		return err
	}
	email, err := auth.Address(in.text("email"))
	switch {
	case in.err != nil:
		return in.err
	case err != nil:
		return err
	case a.Letters == nil:
		return errNoMail
	}
	if ok, wait := a.byMailbox.Allow(email); !ok {
		return fault.New(fault.TooMany, "enough was sent to this address: wait, then try again").After(wait)
	}
	err = a.inTx(r.Context(), func(ctx context.Context, tx *db.Tx) error {
		id, err := tx.User.Query().Where(user.Email(email)).OnlyID(ctx)
		if err != nil && !db.IsNotFound(err) {
			return err
		}
		return a.Letters.Add(ctx, tx, Letter{User: id, What: what})
	})
	if err != nil {
		return err
	}
	return sent(w)
}
