package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/readout-dev/readout/store"
)

// migrateCmd brings the database up to date; `serve` does the same when it starts.
type migrateCmd struct {
	Config `embed:""`
	Status bool `help:"Only list the migrations and when they were applied."`
}

// Run applies what is missing, or lists.
func (c *migrateCmd) Run(ctx context.Context, con console) (err error) {
	log := con.logger(c.Config)
	d, err := openDatabase(ctx, c.Config, log, func(what string) { fmt.Fprintln(con.err, what) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if c.Status {
		return c.list(ctx, con, d)
	}
	applied, err := store.Migrate(ctx, d.pool, log)
	for _, name := range applied {
		fmt.Fprintln(con.out, "applied", name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintln(con.out, "up to date")
	}
	return err
}

func (c *migrateCmd) list(ctx context.Context, con console, d *database) error {
	all, err := store.MigrationStatus(ctx, d.pool)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(con.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "MIGRATION\tAPPLIED")
	for _, m := range all {
		at := "not yet"
		if !m.AppliedAt.IsZero() {
			at = m.AppliedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\n", m.Name, at)
	}
	return w.Flush()
}
