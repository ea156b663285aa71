package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// changes tells those who remember entities that they changed.
type changes struct {
	pool     *pgxpool.Pool
	entities *entity.Bus
	registry *ingest.Registry
	follower *journal.Follower
	replicas *journal.Replicas
	journal  *journal.Journal
	log      *slog.Logger
}

// tell tells all, here and in other processes, of changes that this one has committed.
func (c *changes) tell(changes ...entity.Change) {
	c.entities.Publish(changes...)
	c.replicas.TellChanged(changes...)
}

// heard tells all here of changes that other processes have committed.
func (c *changes) heard(changes ...entity.Change) {
	for _, change := range changes {
		if change.Type == entity.Project && change.Kind == entity.Deleted {
			c.ProjectDeleted(change.ID)
		}
	}
	c.entities.Publish(changes...)
}

// changeFor is how long telling of a change may take; the keeper repeats a deletion that was lost.
const changeFor = 10 * time.Second

// SeriesChanged implements graph.Changes. Appends by names of before are refused from then on, also on other replicas.
func (c *changes) SeriesChanged(project int64, deleted []int64) {
	ctx, cancel := context.WithTimeout(context.Background(), changeFor)
	defer cancel()
	if len(deleted) == 0 {
		if err := store.Rename(ctx, c.pool, project); err != nil {
			c.log.ErrorContext(ctx, "changed series may be taken for what they were", "project", project, "error", err)
		}
		c.registry.Forget(project)
		return
	}
	ds := make([]reading.Deletion, len(deleted))
	for i, series := range deleted {
		ds[i] = reading.DeleteAll(series)
	}
	if err := c.delete(ctx, project, ds); err != nil {
		c.log.ErrorContext(ctx, "the readings of deleted series stay until tomorrow", "project", project, "error", err)
	}
}

// delete appends deletions to a project's journal.
func (c *changes) delete(ctx context.Context, project int64, ds []reading.Deletion) error {
	_, err := c.journal.Delete(ctx, project, ds)
	return err
}

// EmptyProject implements graph.Changes.
func (c *changes) EmptyProject(ctx context.Context, project int64) error {
	return store.EmptyProject(ctx, c.pool, project)
}

// ProjectDeleted implements graph.Changes.
func (c *changes) ProjectDeleted(project int64) {
	c.registry.Forget(project)
	c.follower.Forget(project) // and with it the views
}
