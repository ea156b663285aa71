package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/internal/fault"
)

// keyCmd manages keys, for operators: directly on the database.
type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Create a key. Its secret is printed this once."`
	List   keyListCmd   `cmd:"" help:"List the keys of a project."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke a key: it is refused within a second."`
}

type keyCreateCmd struct {
	Config  `embed:""`
	Project int64         `required:"" placeholder:"ID" help:"The project."`
	Device  string        `help:"The device's name, for a device's key; it is made if it does not exist. Without: a key of the project."`
	Name    string        `help:"What the key is for."`
	Scopes  string        `default:"ingest,read" help:"Some of ingest, read and admin."`
	Expires time.Duration `placeholder:"DURATION" help:"How long the key is good for, such as 720h. Default: for ever."`
}

// Run creates the key.
func (c *keyCreateCmd) Run(ctx context.Context, con console) error {
	scopes, err := auth.ParseScopes(c.Scopes)
	if err != nil {
		return fault.New(fault.Invalid, "--scopes: %s", err)
	}
	if c.Expires < 0 {
		return fault.New(fault.Invalid, "--expires: write how long from now, such as 720h")
	}
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		if _, err := client.Project.Get(ctx, c.Project); db.IsNotFound(err) {
			return fault.New(fault.NotFound, "--project: there is no project %d; see: readout project list", c.Project)
		} else if err != nil {
			return err
		}
		spec := auth.KeySpec{Project: c.Project, Name: c.Name, Scopes: scopes}
		if c.Device != "" {
			d, err := deviceOf(ctx, client, c.Project, c.Device)
			if err != nil {
				return err
			}
			spec.Device = &d.ID
		}
		if c.Expires > 0 {
			at := time.Now().Add(c.Expires)
			spec.Expires = &at
		}
		k, secret, err := auth.CreateKey(ctx, client, spec)
		if err != nil {
			return err
		}
		fmt.Fprintf(con.out, "created key %d\nsecret %s\n", k.ID, secret)
		return nil
	})
}

// deviceOf returns the device of that name, made if it does not exist.
func deviceOf(ctx context.Context, client *db.Client, project int64, name string) (*db.Device, error) {
	d, err := client.Device.Query().Where(device.ProjectID(project), device.Name(name)).Only(ctx)
	if db.IsNotFound(err) {
		return client.Device.Create().SetProjectID(project).SetName(name).Save(ctx)
	}
	return d, err
}

type keyListCmd struct {
	Config  `embed:""`
	Project int64 `required:"" placeholder:"ID" help:"The project."`
	JSON    bool  `help:"Print one JSON object a line."`
}

// Run lists the keys.
func (c *keyListCmd) Run(ctx context.Context, con console) error {
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		if exists, err := client.Project.Query().Where(project.ID(c.Project)).Exist(ctx); err == nil && !exists {
			return fault.New(fault.NotFound, "--project: there is no project %d; see: readout project list", c.Project)
		}
		all, err := client.Key.Query().Where(key.ProjectID(c.Project)).WithDevice().Order(key.ByID()).All(ctx)
		if err != nil {
			return err
		}
		t := newTable(con.out, c.JSON, "id", "name", "device", "scopes", "ends with", "created")
		for _, k := range all {
			device := ""
			if k.Edges.Device != nil {
				device = k.Edges.Device.Name
			}
			t.row(k.ID, k.Name, device, strings.ToLower(strings.Join(k.Scopes, ",")), k.Hint, k.CreatedAt.UTC().Format(time.RFC3339))
		}
		return t.end()
	})
}

type keyRevokeCmd struct {
	Config `embed:""`
	ID     int64 `arg:"" help:"The key's id, as readout key list prints it."`
}

// Run revokes the key.
func (c *keyRevokeCmd) Run(ctx context.Context, con console) error {
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		err := client.Key.DeleteOneID(c.ID).Exec(ctx)
		if db.IsNotFound(err) {
			return fault.New(fault.NotFound, "there is no key %d; see: readout key list", c.ID)
		}
		if err == nil {
			fmt.Fprintln(con.out, "revoked key", c.ID)
		}
		return err
	})
}
