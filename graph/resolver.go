package graph

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// Resolver holds what the fields are answered from. Safe for concurrent use.
type Resolver struct {
	Client    *db.Client
	Auth      *auth.Authenticator
	History   *history.Reader
	Analysis  *analysis.Engine
	Hub       *live.Hub
	Journal   Follower
	Deletions Deleter
	Changes   Changes
	Entities  *entity.Bus // is told what changes; nil: nobody tells
	Cursors   Cursors
	Log       *slog.Logger

	// Costs is what the queries and mutations of a person, or of all keys of a project, may cost a second (see limits); nil:
	// anything.
	Costs *auth.Rate

	// Transactions is how many mutations may hold a connection to the database at once: fewer than the entities have.
	Transactions int

	// Origin says whether pages of the origin that a request comes from may open sockets and read streams, besides those of
	// our own; nil: none may.
	Origin func(*http.Request) bool

	// Sent is told of each answer of a subscription, see transport.Subscriptions; nil: nobody is.
	Sent func(committed, published time.Time)

	subscriptions *transport.Subscriptions // what NewHandler makes
	rights        rights
	decimations   decimations
	histories     histories
	places        places
	executions    executions // of live queries
	computing     sync.Mutex // held while live statistics are computed: those of one subscription at a time
}

// Follower keeps this process up with a project's journal.
type Follower interface {
	// Follow returns when the hub holds all of the project's journal that was committed before the call by this process,
	// or by any that is known.
	Follow(ctx context.Context, project int64) error
	// Applied returns the offset of the last entry that the hub holds; ok is false when the project is not followed.
	Applied(project int64) (offset int64, ok bool)
}

// Deleter deletes readings.
type Deleter interface {
	// Delete returns when the deletions are durable, and seen by every read that begins then.
	Delete(ctx context.Context, project int64, ds []reading.Deletion) (journal.Ack, error)
}

// Changes is told of changes that others remember, after their commit.
type Changes interface {
	// EmptyProject removes the readings that a project holds, in pieces, before the project goes.
	EmptyProject(ctx context.Context, project int64) error
	// SeriesChanged says that devices or series of a project were changed or deleted; deleted are series that are gone,
	// whose readings are to go too. It is called once, in the request: what it cannot do at once it sees to later.
	SeriesChanged(project int64, deleted []int64)
	// ProjectDeleted says that a project and all that it held is gone.
	ProjectDeleted(project int64)
}
