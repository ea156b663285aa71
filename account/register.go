package account

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// Applicant is somebody who wants an account.
type Applicant struct {
	Email    string
	Password string
	Name     string // up to 128 bytes
	Zone     string // an IANA name; empty is UTC
}

// Create makes an account that counts as verified and returns it: for operators, and for a server that verifies nothing.
// Faults: Invalid for a field that is not taken, Conflict when the address has an account.
func (a *Accounts) Create(ctx context.Context, who Applicant) (*db.User, error) {
	hash, err := a.check(ctx, &who)
	if err != nil {
		return nil, err
	}
	u, err := create(a.Client.User, who, hash).SetVerifiedAt(a.now()).Save(system(ctx))
	if db.IsConstraintError(err) {
		return nil, fault.New(fault.Conflict, "this address has an account: log in")
	}
	return u, err
}

// Register makes an account that waits to be verified, and has a letter written to its address; when the address has an
// account already, the letter says so. Who asks can tell the two apart neither by the answer nor by its time, as the
// statements are the same. Fault: Invalid for a field that is not taken.
func (a *Accounts) Register(ctx context.Context, who Applicant) error {
	hash, err := a.check(ctx, &who)
	if err != nil {
		return err
	}
	return a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		letter := Letter{What: letterVerify}
		err := create(tx.User, who, hash).OnConflictColumns(user.FieldEmail).DoNothing().Exec(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			letter.What, err = letterTaken, nil
		}
		if err != nil {
			return err
		}
		if letter.User, err = tx.User.Query().Where(user.Email(who.Email)).OnlyID(ctx); err != nil {
			return err
		}
		if allowed, _ := a.byMailbox.Allow(who.Email); !allowed {
			letter.User = 0 // a full mailbox helps nobody
		}
		return a.Letters.Add(ctx, tx, letter)
	})
}

// check makes who what is stored, and returns the hash of the password.
func (a *Accounts) check(ctx context.Context, who *Applicant) (hash string, err error) {
	if who.Email, err = auth.Address(who.Email); err != nil {
		return "", err
	}
	who.Zone = cmp.Or(who.Zone, "UTC")
	if err := errors.Join(checkName(who.Name), checkZone(who.Zone)); err != nil {
		return "", err
	}
	if err := auth.CheckPassword(who.Password, who.Email); err != nil {
		return "", err
	}
	return a.Passwords.Hash(ctx, who.Password)
}

func create(users *db.UserClient, who Applicant, hash string) *db.UserCreate {
	return users.Create().SetEmail(who.Email).SetName(who.Name).SetZone(who.Zone).SetPassword(hash)
}

// serveRegister answers POST /auth/register.
func (a *Accounts) serveRegister(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "email", "password", "name", "zone")
	if err != nil {
		return err
	}
	who := Applicant{in.text("email"), in.text("password"), in.optional("name", ""), in.optional("zone", "")}
	if in.err != nil {
		return in.err
	}
	if a.Letters != nil {
		if err := a.Register(r.Context(), who); err != nil {
			return err
		}
		return sent(w)
	}
	u, err := a.Create(r.Context(), who)
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Name  string `json:"name"`
	}{strconv.FormatInt(u.ID, 10), u.Email, u.Name})
}
