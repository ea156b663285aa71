package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/ent/hook"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
)

// userCmd manages people with accounts, for operators: directly on the database.
type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Create an account. The password is asked for, or read from standard input."`
	List   userListCmd   `cmd:"" help:"List the accounts."`
}

type userCreateCmd struct {
	Config   `embed:""`
	Email    string `arg:"" help:"The person's e-mail address."`
	Name     string `help:"The person's name."`
	Generate bool   `help:"Make a password and print it, instead of asking for one."`
}

// Run creates the account.
func (c *userCreateCmd) Run(ctx context.Context, con console) error {
	password, err := c.password(con)
	if err != nil {
		return err
	}
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte(rand.Text() + rand.Text())}) // issues none here
		if err != nil {
			return err
		}
		accounts, err := auth.NewAccounts(client, auth.NewPasswords(auth.PasswordConfig{}), tokens)
		if err != nil {
			return err
		}
		u, err := accounts.Register(ctx, c.Email, c.Name, password)
		if err != nil {
			return err
		}
		fmt.Fprintf(con.out, "created user %d %s\n", u.ID, u.Email)
		if c.Generate {
			fmt.Fprintf(con.out, "password %s\n", password)
		}
		return nil
	})
}

func (c *userCreateCmd) password(con console) (string, error) {
	if c.Generate {
		return rand.Text(), nil
	}
	if stdin := int(os.Stdin.Fd()); term.IsTerminal(stdin) {
		fmt.Fprint(con.err, "Password: ")
		typed, err := term.ReadPassword(stdin)
		fmt.Fprintln(con.err)
		return string(typed), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fault.New(fault.Invalid, "send the password on standard input, or use --generate")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type userListCmd struct {
	Config `embed:""`
	JSON   bool `help:"Print one JSON object a line."`
}

// Run lists the accounts.
func (c *userListCmd) Run(ctx context.Context, con console) error {
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		all, err := client.User.Query().Order(user.ByID()).All(ctx)
		if err != nil {
			return err
		}
		t := newTable(con.out, c.JSON, "id", "email", "name", "created")
		for _, u := range all {
			t.row(u.ID, u.Email, u.Name, u.CreatedAt.UTC().Format(time.RFC3339))
		}
		return t.end()
	})
}

// onDatabase runs f as the program itself, on the configured database or beside a running server, and tells servers of what f
// has changed.
func onDatabase(ctx context.Context, cfg Config, con console, f func(context.Context, *db.Client) error) (err error) {
	d, err := reachDatabase(ctx, cfg, con)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	var changed []entity.Change
	hook.Tell(d.client, func(changes ...entity.Change) { changed = append(changed, changes...) })
	err = f(auth.NewContext(ctx, auth.System()), d.client)
	var invalid *db.ValidationError
	if errors.As(err, &invalid) {
		err = fault.Wrap(err, fault.Invalid, "the value of %s is not allowed", invalid.Name)
	}
	return errors.Join(err, announce(ctx, d, changed))
}

// announce tells servers of changes, whether ctx has ended or not: they are committed.
func announce(ctx context.Context, d *database, changed []entity.Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeFor)
	defer cancel()
	return journal.Announce(ctx, d.pool, changed...)
}

// table prints rows for people, or as one JSON object a line.
type table struct {
	w       *tabwriter.Writer
	json    *json.Encoder
	columns []string
}

func newTable(w io.Writer, asJSON bool, columns ...string) *table {
	t := &table{columns: columns}
	if asJSON {
		t.json = json.NewEncoder(w)
		return t
	}
	t.w = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t.w, strings.ToUpper(strings.Join(columns, "\t")))
	return t
}

func (t *table) row(values ...any) {
	if t.json != nil {
		object := map[string]string{}
		for i, v := range values {
			object[t.columns[i]] = fmt.Sprint(v)
		}
		_ = t.json.Encode(object)
		return
	}
	for i, v := range values {
		if i > 0 {
			fmt.Fprint(t.w, "\t")
		}
		fmt.Fprint(t.w, v)
	}
	fmt.Fprintln(t.w)
}

func (t *table) end() error {
	if t.json != nil {
		return nil
	}
	return t.w.Flush()
}
