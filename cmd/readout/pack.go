package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/store"
)

// packCmd does now what a server does by itself, sooner or later.
type packCmd struct {
	Config `embed:""`

	Project int64 `placeholder:"ID" help:"Pack this project alone."`
	Settle  bool  `help:"Settle all days that are over, too: their readings go to their final place, their rollups are computed."`
	Month   bool  `help:"Settle today and this month, too, as if they were over: for measuring, or before a project is archived."`
}

// Run packs.
func (c *packCmd) Run(ctx context.Context, con console) (err error) {
	d, err := reachDatabase(ctx, c.Config, con)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	projects, err := projectsOf(ctx, d, c.Project)
	if err != nil {
		return err
	}
	packer := pack.New(d.pool, pack.Config{})
	for _, project := range projects {
		if err := c.pack(ctx, con, d, packer, project); err != nil {
			return err
		}
	}
	return nil
}

func (c *packCmd) pack(ctx context.Context, con console, d *database, packer *pack.Packer, project int64) error {
	began := time.Now()
	_, before, err := store.Head(ctx, d.pool, project)
	if err != nil {
		return store.Fault(err)
	}
	if err := packer.Pack(ctx, project); err != nil {
		return err
	}
	if c.Settle || c.Month {
		if err := packer.Settle(ctx, project, c.until(began)); err != nil {
			return err
		}
	}
	head, packedTo, err := store.Head(ctx, d.pool, project)
	if err != nil {
		return store.Fault(err)
	}
	fmt.Fprintf(con.out, "project %d: %s of %s entries packed, %s of them now, in %.1f s\n", project,
		grouped(int(packedTo)), grouped(int(head)), grouped(int(packedTo-before)), time.Since(began).Seconds())
	return nil
}

// until returns the moment as of which days and months are over.
func (c *packCmd) until(now time.Time) time.Time {
	if !c.Month {
		return now
	}
	// Readings may lie a day ahead, and a month is closed a day after its end.
	return time.Date(now.UTC().Year(), now.UTC().Month()+2, 3, 0, 0, 0, 0, time.UTC)
}

// projectsOf returns the ids of all projects, or of the one that is asked for by --project.
func projectsOf(ctx context.Context, d *database, id int64) ([]int64, error) {
	all, err := store.Projects(ctx, d.pool)
	if err != nil || id == 0 {
		return all, err
	}
	if !slices.Contains(all, id) {
		return nil, fault.New(fault.NotFound, "--project: there is no project %d; see: readout project list", id)
	}
	return []int64{id}, nil
}
