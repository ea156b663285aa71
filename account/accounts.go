package account

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
)

// Config is what accounts are made of.
type Config struct {
	Client        *db.Client
	Passwords     *auth.Passwords
	Tokens        *auth.Tokens
	Authenticator *auth.Authenticator
	Projects      Projects
	Letters       Letters          // nil: no address is verified, since nobody can be written to
	Log           *slog.Logger     // told of stolen sessions; nil: nobody is
	Now           func() time.Time // nil: time.Now
}

// Letters takes jobs into a transaction of the entities, such as job.Queue.
type Letters interface {
	Add(ctx context.Context, tx *db.Tx, args river.JobArgs) error
}

// Projects deletes projects.
type Projects interface {
	// DeleteProject deletes a project with all that it holds, in pieces outside of transactions. What is cut off can be asked
	// for again.
	DeleteProject(ctx context.Context, id int64) error
}

// Accounts is what the endpoints below /auth do. Safe for concurrent use.
type Accounts struct {
	Config
	byAccount *auth.Limiter                // passwords
	byAddress *auth.Limiter                // requests
	byMailbox *auth.Limiter                // letters
	addresses *lru.Cache[string, struct{}] // at which people have logged in, with theirs
}

// addressesInMind is how many of these are remembered.
const addressesInMind = 10_000

// New returns the accounts kept in a database. Attempts are limited: at a password ten at once and one in 10 s for an
// account; thirty requests at once and one a second for an address that sends them; three letters an hour to an address that
// receives them.
func New(cfg Config) (*Accounts, error) {
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	addresses, err := lru.New[string, struct{}](addressesInMind)
	if err != nil {
		return nil, err
	}
	a := &Accounts{Config: cfg, addresses: addresses}
	for _, l := range []struct {
		limiter **auth.Limiter
		burst   int
		every   time.Duration
	}{{&a.byAccount, 10, 10 * time.Second}, {&a.byAddress, 30, time.Second}, {&a.byMailbox, 3, 20 * time.Minute}} {
		made, err := auth.NewLimiter(auth.LimiterConfig{Burst: l.burst, Every: l.every, Now: cfg.Now})
		if err != nil {
			return nil, err
		}
		*l.limiter = made
	}
	return a, nil
}

// now is the time as PostgreSQL keeps it.
func (a *Accounts) now() time.Time { return a.Now().UTC().Truncate(time.Microsecond) }

// system is ctx for what the program does on behalf of people.
func system(ctx context.Context) context.Context { return auth.NewContext(ctx, auth.System()) }

// inTx runs f in a transaction, which is committed unless f fails.
func (a *Accounts) inTx(ctx context.Context, f func(ctx context.Context, tx *db.Tx) error) error {
	ctx = system(ctx)
	tx, err := a.Client.Tx(ctx)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
