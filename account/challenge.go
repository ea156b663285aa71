package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/internal/fault"
)

// How long links may be followed.
const (
	verifyLasts = 24 * time.Hour
	resetLasts  = time.Hour
)

// newToken returns what a link holds, 130 random bits, and what is stored of it. A fast hash is enough: nobody can guess that
// many bits.
func newToken() (token string, hash []byte) {
	token = rand.Text()
	return token, hashOf(token)
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// errLink is the one answer to a token that is wrong, used, replaced or too old.
var errLink = fault.New(fault.BadRequest, "this link is not valid any more: ask for another one")

// find returns the challenge of a token, with its person. Fault: BadRequest.
func (a *Accounts) find(ctx context.Context, client *db.ChallengeClient, token string, kinds ...challenge.Kind) (*db.Challenge, error) {
	found, err := client.Query().
		Where(challenge.Hash(hashOf(token)), challenge.KindIn(kinds...), challenge.ExpiresAtGT(a.now())).WithUser().Only(ctx)
	if db.IsNotFound(err) {
		return nil, errLink
	}
	return found, err
}

// use uses a challenge up, and with it all others of the person: what was sent to an address that is not theirs any more, or
// for a password that is no more, must do nothing. Of two who use it at once the second is refused. Fault: BadRequest.
func use(ctx context.Context, tx *db.Tx, c *db.Challenge) error {
	n, err := tx.Challenge.Delete().Where(challenge.ID(c.ID), challenge.Hash(*c.Hash)).Exec(ctx)
	if err == nil && n == 0 {
		return errLink
	}
	if err != nil {
		return err
	}
	_, err = tx.Challenge.Delete().Where(challenge.UserID(c.UserID)).Exec(ctx)
	return err
}
