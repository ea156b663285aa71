package auth

import (
	"context"
	"errors"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/internal/fault"
)

// inSession refuses a token whose session has ended; 0 is no session.
func (a *Authenticator) inSession(ctx context.Context, id, person int64) error {
	if id == 0 {
		return nil
	}
	owner, known := a.sessions.get(id)
	if !known {
		found, err := a.client.Session.Query().Where(session.ID(id), session.ExpiresAtGT(time.Now())).
			Only(NewContext(ctx, System()))
		switch {
		case err == nil:
			owner = found.UserID
		case !db.IsNotFound(err):
			return fault.Wrap(err, fault.Unavailable, "the session cannot be checked now").After(time.Second)
		}
		a.sessions.keep(id, owner)
	}
	if owner != person {
		return refused(errors.New("the session has ended"))
	}
	return nil
}
