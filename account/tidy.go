package account

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
)

// unverifiedLasts is how long an account that was never verified is kept.
const unverifiedLasts = 7 * 24 * time.Hour

// tidyAtOnce is how many rows a statement deletes.
const tidyAtOnce = 1000

// Tidy is a job: to delete accounts that were never verified, and sessions and challenges that are over.
type Tidy struct{}

// Kind implements river.JobArgs.
func (Tidy) Kind() string { return "tidy_accounts" }

// TidyEvery is how often that is worth a look.
const TidyEvery = 6 * time.Hour

// Tidier does the job. Safe for concurrent use.
type Tidier struct {
	river.WorkerDefaults[Tidy]
	Client *db.Client
	Now    func() time.Time // nil: time.Now
}

// Work implements river.Worker.
func (t *Tidier) Work(ctx context.Context, _ *river.Job[Tidy]) error {
	ctx, now := system(ctx), time.Now()
	if t.Now != nil {
		now = t.Now()
	}
	err := inPieces(func() ([]int64, error) {
		return t.Client.User.Query().Where(user.VerifiedAtIsNil(), user.CreatedAtLT(now.Add(-unverifiedLasts))).
			Limit(tidyAtOnce).IDs(ctx)
	}, func(ids []int64) error {
		_, err := t.Client.User.Delete().Where(user.IDIn(ids...), user.VerifiedAtIsNil()).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	err = inPieces(func() ([]int64, error) {
		return t.Client.Session.Query().
			Where(session.Or(session.ExpiresAtLTE(now), session.SeenAtLTE(now.Add(-sessionIdle)))).
			Limit(tidyAtOnce).IDs(ctx)
	}, func(ids []int64) error {
		_, err := t.Client.Session.Delete().Where(session.IDIn(ids...)).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = t.Client.Challenge.Delete().Where(challenge.ExpiresAtLTE(now)).Exec(ctx)
	return err
}

// inPieces removes what find finds until there is nothing more.
func inPieces(find func() ([]int64, error), remove func([]int64) error) error {
	for {
		ids, err := find()
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := remove(ids); err != nil {
			return err
		}
	}
}
