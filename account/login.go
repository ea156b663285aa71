package account

import (
	"context"
	"net/http"
	"strconv"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

var errWrongLogin = fault.New(fault.Unauthenticated, "the e-mail address or the password is wrong")

// Client is where a log-in comes from.
type Client struct {
	Agent   string // what it calls itself
	Address string // of the network, see auth.AddressKey; empty when it comes by none
}

// Login begins a session for the right password. An unknown account and a wrong password have one answer and take the same
// time: Unauthenticated. Too many attempts: TooMany; they are counted apart where the person has logged in before, so that no
// stranger keeps them out. An account that is not verified: Forbidden, but only for the right password.
func (a *Accounts) Login(ctx context.Context, email, password string, from Client) (Grant, error) {
	email, err := auth.Address(email)
	if err != nil {
		return Grant{}, errWrongLogin // no account has it
	}
	u, err := a.Client.User.Query().Where(user.Email(email)).Only(system(ctx))
	if err != nil && !db.IsNotFound(err) {
		return Grant{}, err
	}
	attempts, here := email, email+" "+from.Address
	if a.addresses.Contains(here) {
		attempts = here
	}
	if err := a.prove(ctx, u, attempts, password); err != nil {
		return Grant{}, err
	}
	if u.VerifiedAt == nil {
		return Grant{}, fault.New(fault.Forbidden, "verify your e-mail address first: follow the link that was mailed to you")
	}
	a.addresses.Add(here, struct{}{})
	return a.begin(ctx, u, from.Agent)
}

// proveAgain is prove for a person who is logged in: nobody else uses up their attempts.
func (a *Accounts) proveAgain(ctx context.Context, u *db.User, password string) error {
	return a.prove(ctx, u, strconv.FormatInt(u.ID, 10), password)
}

// prove returns nil if the password is that of u; nil is nobody, for whom it takes as long. attempts names what they are counted
// by. Faults: Unauthenticated, TooMany.
func (a *Accounts) prove(ctx context.Context, u *db.User, attempts, password string) error {
	if ok, wait := a.byAccount.Allow(attempts); !ok {
		return fault.New(fault.TooMany, "too many attempts for this account: wait, then try again").After(wait)
	}
	if u == nil {
		if err := a.Passwords.VerifyNothing(ctx, password); err != nil {
			return err
		}
		return errWrongLogin
	}
	ok, rehash, err := a.Passwords.Verify(ctx, u.Password, password)
	if err != nil {
		return err
	}
	if !ok {
		return errWrongLogin
	}
	if rehash {
		a.rehash(ctx, u, password)
	}
	return nil
}

// rehash stores the password at today's cost. What does not succeed does so next time; the log-in is as good as it was.
func (a *Accounts) rehash(ctx context.Context, u *db.User, password string) {
	hash, err := a.Passwords.Hash(ctx, password)
	if err != nil {
		return
	}
	n, err := a.Client.User.Update().Where(user.ID(u.ID), user.Password(u.Password)).SetPassword(hash).Save(system(ctx))
	if err == nil && n == 1 {
		u.Password = hash
	}
}

// serveLogin answers POST /auth/login.
func (a *Accounts) serveLogin(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "email", "password", "cookies")
	if err != nil {
		return err
	}
	email, password, cookies := in.text("email"), in.text("password"), in.flag("cookies")
	if in.err != nil {
		return in.err
	}
	if err := mayHaveCookies(r, cookies); err != nil {
		return err
	}
	grant, err := a.Login(r.Context(), email, password, Client{r.UserAgent(), networkOf(r)})
	if err != nil {
		return err
	}
	return grant.reply(w, cookies)
}
