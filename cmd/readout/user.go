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

	"github.com/readout-dev/readout/account"
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
	Create        userCreateCmd        `cmd:"" help:"Create an account, which counts as verified. The password is asked for, or read from standard input."`
	ResetPassword userResetPasswordCmd `cmd:"" help:"Give an account a new password and end its sessions. The password is asked for, or read from standard input."`
	List          userListCmd          `cmd:"" help:"List the accounts."`
}

type userCreateCmd struct {
	Config      `embed:""`
	Email       string `arg:"" help:"The person's e-mail address."`
	Name        string `help:"The person's name."`
	newPassword `embed:""`
}

// Run creates the account.
func (c *userCreateCmd) Run(ctx context.Context, con console) error {
	password, err := c.password(con)
	if err != nil {
		return err
	}
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		accounts, err := accountsOf(client)
		if err != nil {
			return err
		}
		u, err := accounts.Create(ctx, account.Applicant{Email: c.Email, Name: c.Name, Password: password})
		if err != nil {
			return err
		}
		fmt.Fprintf(con.out, "created user %d %s\n", u.ID, u.Email)
		c.show(con, password)
		return nil
	})
}

// accountsOf returns the accounts in a database, for what needs neither tokens nor mail.
func accountsOf(client *db.Client) (*account.Accounts, error) {
	return account.New(account.Config{Client: client, Passwords: auth.NewPasswords(auth.PasswordConfig{})})
}

type userResetPasswordCmd struct {
	Config      `embed:""`
	Email       string `arg:"" help:"The person's e-mail address."`
	newPassword `embed:""`
}

// Run sets the password.
func (c *userResetPasswordCmd) Run(ctx context.Context, con console) error {
	password, err := c.password(con)
	if err != nil {
		return err
	}
	return onDatabase(ctx, c.Config, con, func(ctx context.Context, client *db.Client) error {
		u, err := client.User.Query().Where(user.Email(strings.ToLower(c.Email))).Only(ctx)
		if db.IsNotFound(err) {
			return fault.New(fault.NotFound, "no account has the address %s: see `readout user list`", c.Email)
		}
		if err != nil {
			return err
		}
		accounts, err := accountsOf(client)
		if err != nil {
			return err
		}
		if err := accounts.SetPassword(ctx, u, password); err != nil {
			return err
		}
		fmt.Fprintf(con.out, "changed the password of user %d %s\n", u.ID, u.Email)
		c.show(con, password)
		return nil
	})
}

// newPassword is how a command gets a password that is not in a list of processes.
type newPassword struct {
	Generate bool `help:"Make a password and print it, instead of asking for one."`
}

// show prints the password that was made.
func (c newPassword) show(con console, password string) {
	if c.Generate {
		fmt.Fprintf(con.out, "password %s\n", password)
	}
}

func (c newPassword) password(con console) (string, error) {
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
		t := newTable(con.out, c.JSON, "id", "email", "name", "verified", "created")
		for _, u := range all {
			t.row(u.ID, u.Email, u.Name, u.VerifiedAt != nil, u.CreatedAt.UTC().Format(time.RFC3339))
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
