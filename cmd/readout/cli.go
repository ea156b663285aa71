package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/readout-dev/readout/internal/fault"
)

// cli is the whole command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Demo    demoCmd    `cmd:"" help:"Run the server with a simulated greenhouse: nothing to set up."`
	Replay  replayCmd  `cmd:"" help:"Send the readings of a CSV file to a server."`
	Import  importCmd  `cmd:"" help:"Send all readings of CSV files to a server, as fast as it takes them."`
	Stats   statsCmd   `cmd:"" help:"Tell how much is stored, in how many bytes, and how much waits to be packed."`
	Pack    packCmd    `cmd:"" help:"Pack now what waits to be packed; settle days that are over."`
	Verify  verifyCmd  `cmd:"" help:"Prove that what is stored of readings is whole; status 1 when it is not."`
	Migrate migrateCmd `cmd:"" help:"Bring the database up to date, or say what that would do."`
	Config  configCmd  `cmd:"" help:"Print the effective configuration, secrets masked."`
	User    userCmd    `cmd:"" help:"Create and list people with accounts."`
	Project projectCmd `cmd:"" help:"Create and list projects."`
	Key     keyCmd     `cmd:"" help:"Create, list and revoke keys of devices and projects."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// console is where a command writes: results to out, progress and logs to err.
type console struct {
	out, err io.Writer
}

// run runs one command line and returns its exit status.
func run(args []string, out, err io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once

	c := console{out: out, err: err}
	parser, perr := kong.New(&cli{},
		kong.Name("readout"),
		kong.Description("Readings from hardware, as a live GraphQL API on your own PostgreSQL."),
		kong.Writers(out, err),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
		kong.UsageOnError(),
	)
	if perr != nil {
		panic(perr) // the structs above are wrong
	}
	parsed, perr := parser.Parse(args)
	if perr == nil {
		perr = checkEnvironment(os.Environ())
	}
	if perr != nil {
		return complain(err, fault.New(fault.Invalid, "%s", perr))
	}
	return complain(err, parsed.Run())
}

// complain says what went wrong, causes included: on the command line the reader is the operator.
func complain(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "readout: interrupted")
		return 130
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		fmt.Fprintln(w, "readout:", err)
		return 1
	}
	fmt.Fprintln(w, "readout:", f.Message)
	if f.Err != nil {
		fmt.Fprintln(w, "cause:", f.Err)
	}
	return f.Code.Door().Exit
}

// logger returns the program's log: JSON lines to stderr.
func (c console) logger(cfg Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo // kong has checked the value
	}
	return slog.New(slog.NewJSONHandler(c.err, &slog.HandlerOptions{Level: level}))
}
