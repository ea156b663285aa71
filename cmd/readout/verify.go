package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/readout-dev/readout/verify"
)

// verifyCmd proves that what is stored is whole.
type verifyCmd struct {
	Config `embed:""`

	Project int64 `placeholder:"ID" help:"Verify this project alone."`
	JSON    bool  `help:"Print each finding as one JSON line."`
	Quiet   bool  `short:"q" help:"Show no progress."`
}

// errFindings ends a verify that has found something, with status 1.
var errFindings = errors.New("what is stored is not as it must be")

// Run verifies. Finding something is an error.
func (c *verifyCmd) Run(ctx context.Context, con console) (err error) {
	d, err := reachDatabase(ctx, c.Config, con)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := projectsOf(ctx, d, c.Project); err != nil {
		return err
	}
	var last verify.Progress
	shown := time.Now()
	findings, err := verify.Run(ctx, d.pool, verify.Options{Project: c.Project, Progress: func(p verify.Progress) {
		if last = p; !c.Quiet && time.Since(shown) > 5*time.Second {
			shown = time.Now()
			fmt.Fprintf(con.err, "project %d of %d: %s rows, %s MB\n", p.Project, p.Projects, grouped(int(p.Rows)), grouped(int(p.Bytes>>20)))
		}
	}})
	if perr := c.print(con, findings); perr != nil || err != nil {
		return errors.Join(err, perr)
	}
	if len(findings) > 0 {
		return fmt.Errorf("%w: %s findings", errFindings, grouped(len(findings)))
	}
	if !c.JSON {
		fmt.Fprintf(con.out, "all is well: %s rows, %s MB\n", grouped(int(last.Rows)), grouped(int(last.Bytes>>20)))
	}
	return nil
}

func (c *verifyCmd) print(con console, findings []verify.Finding) error {
	if c.JSON {
		lines := json.NewEncoder(con.out)
		for _, f := range findings {
			if err := lines.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	if len(findings) == 0 {
		return nil
	}
	t := newTable(con.out, false, "project", "table", "where", "problem", "expected", "found")
	for _, f := range findings {
		t.row(f.Project, f.Table, f.Key, f.Problem, f.Expected, f.Found)
	}
	return t.end()
}
