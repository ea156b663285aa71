package graph

import (
	"context"
	"log/slog"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/tail"
)

// Resolver holds what the fields are answered from. Safe for concurrent use.
type Resolver struct {
	Client  *db.Client
	Auth    *auth.Authenticator
	Tail    *tail.Tail
	Hub     *live.Hub
	Journal Follower
	Changes Changes
	Cursors Cursors
	Log     *slog.Logger

	// Transactions is how many mutations may hold a connection to the database at once: fewer than the entities have.
	Transactions int

	rights rights
}

// Follower keeps this process up with a project's journal.
type Follower interface {
	// Follow returns when the tail and the hub hold all of the project's journal that was committed before the call by
	// this process.
	Follow(ctx context.Context, project int64) error
}

// Changes is told of changes that others remember, after their commit.
type Changes interface {
	// EmptyJournal removes what a project's journal holds, in pieces, before the project goes.
	EmptyJournal(ctx context.Context, project int64) error
	// SeriesChanged says that devices or series of a project were changed or deleted; deleted are series that are gone.
	SeriesChanged(project int64, deleted []int64)
	// ProjectDeleted says that a project and all that it held is gone.
	ProjectDeleted(project int64)
}
