package main

import (
	"context"
	"errors"
	"maps"
	"os"

	"github.com/readout-dev/readout/store"
)

// reference is a PostgreSQL beside that of the bed, where one of the bed's settings would be in its way. It has the
// embedded server's settings, fsync and synchronous_commit on among them, but for those that a scenario names.
type reference struct {
	dir    string
	server *store.Embedded
}

func newReference(ctx context.Context, settings map[string]string) (*reference, error) {
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	server, err := store.StartEmbedded(ctx, store.EmbeddedConfig{Dir: dir, Settings: maps.Clone(settings)})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &reference{dir, server}, nil
}

func (r *reference) close() error {
	return errors.Join(r.server.Stop(context.Background()), os.RemoveAll(r.dir))
}
