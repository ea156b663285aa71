package auth

import (
	"context"
	"errors"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// personOf returns whose account the token of a foreign issuer means: that of the address which the issuer has verified, if
// whoever made the account has shown, too, that it is theirs; a stranger may have registered it. 0 means nobody's.
func personOf(ctx context.Context, client *db.Client, c Claims) (int64, error) {
	if c.Email == "" {
		return 0, nil
	}
	id, err := client.User.Query().Where(user.Email(c.Email), user.VerifiedAtNotNil()).OnlyID(NewContext(ctx, System()))
	if db.IsNotFound(err) {
		return 0, nil
	}
	return id, err
}

// person is personOf, asked once a second for one person at most.
func (a *Authenticator) person(ctx context.Context, c Claims) (int64, error) {
	named := foreignPerson{c.Issuer, c.Subject, c.Email}
	id, known := a.people.get(named)
	if !known {
		var err error
		if id, err = personOf(ctx, a.client, c); err != nil {
			return 0, fault.Wrap(err, fault.Unavailable, "the token cannot be checked now").After(time.Second)
		}
		a.people.keep(named, id)
	}
	if id == 0 {
		return 0, refused(errors.New("the token is right, and means no account of ours"))
	}
	return id, nil
}

// foreignPerson is how an issuer names somebody.
type foreignPerson struct{ issuer, subject, email string }
