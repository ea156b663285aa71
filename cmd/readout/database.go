package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/store"
)

// database is the PostgreSQL that a command works on, and the embedded server if it started one.
type database struct {
	pool     *pgxpool.Pool
	client   *db.Client
	embedded *store.Embedded // nil when the server is not ours
}

// openDatabase connects to the configured PostgreSQL; without one it starts the embedded server. progress is told what
// takes long.
func openDatabase(ctx context.Context, cfg Config, log *slog.Logger, progress func(string)) (*database, error) {
	d, url := &database{}, cfg.DatabaseURL
	if url == "" {
		embedded, err := store.StartEmbedded(ctx, store.EmbeddedConfig{Dir: cfg.DataDir, Log: log, Progress: progress})
		if err != nil {
			return nil, err
		}
		d.embedded, url = embedded, embedded.URL()
	}
	if err := d.connect(ctx, url, cfg, log); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// reachDatabase is openDatabase for commands that may run beside a server: it uses the embedded server that another
// Readout keeps on the data folder, if there is one, and makes sure that the schema is there.
func reachDatabase(ctx context.Context, cfg Config, con console) (*database, error) {
	log := slog.New(slog.DiscardHandler)
	d := &database{}
	var err error
	url, running := store.FindRunning(cfg.DataDir)
	if cfg.DatabaseURL == "" && running {
		err = d.connect(ctx, url, cfg, log)
	} else {
		d, err = openDatabase(ctx, cfg, log, func(what string) { fmt.Fprintln(con.err, what) })
	}
	if err != nil {
		return nil, err
	}
	if _, err := store.Migrate(ctx, d.pool, log); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) connect(ctx context.Context, url string, cfg Config, log *slog.Logger) error {
	pool, err := store.Open(ctx, url, store.PoolConfig{MaxConns: int32(cfg.MaxConnections), Log: log})
	if err != nil {
		return err
	}
	d.pool, d.client = pool, store.Client(pool)
	return nil
}

// died is closed when the embedded server ended by itself; it is nil, so never closed, when there is none.
func (d *database) died() <-chan struct{} {
	if d.embedded == nil {
		return nil
	}
	return d.embedded.Done()
}

func (d *database) close() error {
	var err error
	if d.pool != nil {
		err = d.client.Close()
		d.pool.Close()
	}
	if d.embedded == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(err, d.embedded.Stop(ctx))
}
