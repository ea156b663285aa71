package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// changes tells those who remember entities that they changed.
type changes struct {
	pool     *pgxpool.Pool
	registry *ingest.Registry
	follower *journal.Follower
	journal  *journal.Journal
	log      *slog.Logger
}

// deleteFor is how long the deletion of a deleted series' readings may take; the keeper repeats one that was lost.
const deleteFor = 10 * time.Second

// SeriesChanged implements graph.Changes. Other replicas hear of a deletion by its entry.
func (c *changes) SeriesChanged(project int64, deleted []int64) {
	c.registry.Forget(project)
	if len(deleted) == 0 {
		return
	}
	ds := make([]reading.Deletion, len(deleted))
	for i, series := range deleted {
		ds[i] = reading.DeleteAll(series)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteFor)
	defer cancel()
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
