package journal

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store"
)

// Announce tells all Replicas on the database of pool of changes of entities that are committed: for a process that is none
// of them, such as a command. Of no changes it tells nothing. Faults: Unavailable when they could not be told.
func Announce(ctx context.Context, pool *pgxpool.Pool, changes ...entity.Change) error {
	if len(changes) == 0 {
		return nil
	}
	var waiting entity.Backlog
	for _, c := range changes {
		waiting.Add(c)
	}
	n := notice{kind: saysChanged, from: uuid.NewString(), changes: waiting.Take()}
	if err := store.Notify(ctx, pool, n.texts()...); err != nil {
		return fault.Wrap(err, fault.Unavailable, "this was done, but running servers could not be told of it")
	}
	return nil
}
