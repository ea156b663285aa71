package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// projectCmd manages projects, for operators: directly on the database.
type projectCmd struct {
	Create projectCreateCmd `cmd:"" help:"Create a project with an owner."`
	List   projectListCmd   `cmd:"" help:"List the projects."`
}

type projectCreateCmd struct {
	Config `embed:""`
	Name   string `arg:"" help:"The project's name."`
	Owner  string `required:"" placeholder:"EMAIL" help:"Who owns it: the e-mail address of an account."`
}

// Run creates the project.
func (c *projectCreateCmd) Run(ctx context.Context, con console) error {
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		owner, err := client.User.Query().Where(user.Email(strings.ToLower(c.Owner))).Only(ctx)
		if db.IsNotFound(err) {
			return fault.New(fault.NotFound, "--owner: no account has this e-mail address; create it with: readout user create %s", c.Owner)
		}
		if err != nil {
			return err
		}
		p, err := createProject(ctx, client, c.Name, owner)
		if err != nil {
			return err
		}
		fmt.Fprintf(con.out, "created project %d %s\n", p.ID, p.Name)
		return nil
	})
}

// createProject makes a project and its owner, both or neither.
func createProject(ctx context.Context, client *db.Client, name string, owner *db.User) (*db.Project, error) {
	tx, err := client.Tx(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing, after the commit
	p, err := tx.Project.Create().SetName(name).Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := tx.Member.Create().SetProject(p).SetUser(owner).SetRole(member.RoleOWNER).Exec(ctx); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return p.Unwrap(), nil
}

type projectListCmd struct {
	Config `embed:""`
	JSON   bool `help:"Print one JSON object a line."`
}

// Run lists the projects.
func (c *projectListCmd) Run(ctx context.Context, con console) error {
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		all, err := client.Project.Query().Order(project.ByID()).
			WithMembers(func(q *db.MemberQuery) { q.Where(member.RoleEQ(member.RoleOWNER)).WithUser() }).All(ctx)
		if err != nil {
			return err
		}
		t := newTable(con.out, c.JSON, "id", "name", "owners", "created")
		for _, p := range all {
			var owners []string
			for _, m := range p.Edges.Members {
				owners = append(owners, m.Edges.User.Email)
			}
			t.row(p.ID, p.Name, strings.Join(owners, ","), p.CreatedAt.UTC().Format(time.RFC3339))
		}
		return t.end()
	})
}
