package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	sessionLasts = 30 * 24 * time.Hour // however often it is refreshed
	sessionIdle  = 14 * 24 * time.Hour // without being refreshed
	maxSessions  = 100                 // of one person; who logs in once more ends the one that was seen longest ago

	// rotationGrace is how long after a refresh the token of before is refused without harm: two tabs of a browser, or a
	// client that never got the answer and tries again, are no thieves.
	rotationGrace = 10 * time.Second
)

// Grant is what a client gets for a password or a refresh token. fmt and slog do not write its tokens.
type Grant struct {
	Session int64

	AccessToken string
	Expires     time.Time // of the access token

	RefreshToken   string
	RefreshExpires time.Time // when the session ends, however often it is refreshed
}

// Format writes no token, whatever the verb.
func (g Grant) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "grant of session %d", g.Session) }

// begin makes a session of a person who has just proved the password of u. Fault: Unauthenticated if it is another one meanwhile.
func (a *Accounts) begin(ctx context.Context, u *db.User, agent string) (grant Grant, err error) {
	err = a.inTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := unchanged(ctx, tx, u); err != nil {
			return err
		}
		now, token := a.now(), auth.NewRefresh()
		s, err := tx.Session.Create().SetUserID(u.ID).
			SetFamily(token.Family[:]).SetHash(token.Hash[:]).SetAgent(printable(agent, 128)).
			SetCreatedAt(now).SetRotatedAt(now).SetSeenAt(now).SetExpiresAt(now.Add(sessionLasts)).
			Save(ctx)
		if err != nil {
			return err
		}
		if err := endSurplus(ctx, tx, u.ID); err != nil {
			return err
		}
		grant, err = a.grant(s, token)
		return err
	})
	return grant, err
}

// unchanged refuses what the password of u was proved for if it is another one by now, and keeps it from being changed until tx
// ends: a new password ends all that was begun with the old one. Fault: Unauthenticated.
func unchanged(ctx context.Context, tx *db.Tx, u *db.User) error {
	now, err := tx.User.Query().Where(user.ID(u.ID)).ForUpdate().Only(ctx)
	if db.IsNotFound(err) || err == nil && now.Password != u.Password {
		return errWrongLogin
	}
	return err
}

func endSurplus(ctx context.Context, tx *db.Tx, person int64) error {
	surplus, err := tx.Session.Query().Where(session.UserID(person)).
		Order(session.BySeenAt(sql.OrderDesc())).Offset(maxSessions).IDs(ctx)
	if err != nil || len(surplus) == 0 {
		return err
	}
	_, err = tx.Session.Delete().Where(session.IDIn(surplus...)).Exec(ctx)
	return err
}

func (a *Accounts) grant(s *db.Session, token auth.Refresh) (Grant, error) {
	access, expires, err := a.Tokens.IssueFor(s.UserID, s.ID)
	return Grant{s.ID, access, expires.UTC(), token.Secret, s.ExpiresAt.UTC()}, err
}

var errSessionEnded = fault.New(fault.Unauthenticated, "the session has ended: log in")

// Refresh gives a refresh token for another one and a new access token; of all who present the same one at once, one gets
// them. A token that was replaced is refused, and when that was more than ten seconds ago the session ends: somebody has
// stolen it, or had. Fault: Unauthenticated.
func (a *Accounts) Refresh(ctx context.Context, secret string) (Grant, error) {
	ctx = system(ctx)
	token, s, err := a.sessionOf(ctx, secret)
	if err != nil {
		return Grant{}, err
	}
	now := a.now()
	switch {
	case !now.Before(s.ExpiresAt), !now.Before(s.SeenAt.Add(sessionIdle)):
		return Grant{}, errors.Join(errSessionEnded, a.endSession(ctx, s.ID))
	case !bytes.Equal(s.Hash, token.Hash[:]):
		return Grant{}, a.replayed(ctx, s, token)
	}
	next := token.Next()
	won, err := a.Client.Session.Update().Where(session.ID(s.ID), session.Hash(token.Hash[:])).
		SetHash(next.Hash[:]).SetPrevious(token.Hash[:]).SetRotatedAt(now).SetSeenAt(now).Save(ctx)
	if err != nil {
		return Grant{}, err
	}
	if won == 0 { // somebody else was quicker by a moment, or the session has just ended
		return Grant{}, errSessionEnded
	}
	return a.grant(s, next)
}

// sessionOf returns the session of a refresh token, whether it is the last one or was replaced.
func (a *Accounts) sessionOf(ctx context.Context, secret string) (auth.Refresh, *db.Session, error) {
	token, err := auth.ParseRefresh(secret)
	if err != nil {
		return token, nil, err
	}
	s, err := a.Client.Session.Query().Where(session.Family(token.Family[:])).Only(ctx)
	if db.IsNotFound(err) {
		err = errSessionEnded
	}
	return token, s, err
}

// replayed answers a token that was replaced.
func (a *Accounts) replayed(ctx context.Context, s *db.Session, token auth.Refresh) error {
	if s.Previous != nil && bytes.Equal(*s.Previous, token.Hash[:]) && a.now().Sub(s.RotatedAt) <= rotationGrace {
		return errSessionEnded
	}
	a.Log.WarnContext(ctx, "a refresh token was used twice: the session is ended", "user", s.UserID, "session", s.ID)
	return errors.Join(errSessionEnded, a.endSession(ctx, s.ID))
}

// endSession ends a session; it is no error if it has ended.
func (a *Accounts) endSession(ctx context.Context, id int64) error {
	_, err := a.Client.Session.Delete().Where(session.ID(id)).Exec(ctx)
	return err
}
