package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/store"
)

// bed is what a scenario runs on: the real binary serving from an embedded PostgreSQL with its real settings, which the
// reference uses too.
type bed struct {
	dir, binary, url, key, project string
	database                       string   // where the PostgreSQL is that the server uses: its data folder
	variables                      []string // of the server's environment
	server                         *exec.Cmd
}

// newBed builds the program, starts it in a folder of its own with flags, and makes a project with a key.
func newBed(ctx context.Context, flags ...string) (*bed, error) {
	b := &bed{}
	if err := b.build(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if err := b.open(ctx, flags...); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// open starts the server and makes a project with a key.
func (b *bed) open(ctx context.Context, flags ...string) error {
	if err := b.serve(ctx, flags...); err != nil {
		return err
	}
	return b.populate(ctx)
}

func (b *bed) build() (err error) {
	if b.dir, err = scratch(); err != nil {
		return err
	}
	b.database = b.data()
	b.binary = filepath.Join(b.dir, "readout")
	out, err := exec.Command("go", "build", "-o", b.binary, "./cmd/readout").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build (run it from the repository's root): %w\n%s", err, out)
	}
	return nil
}

// scratch makes a folder that the database's user can enter, who is another when we are root.
func scratch() (string, error) {
	dir, err := os.MkdirTemp("", "readout-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// unlimited takes the limits away that keep one client from taking all of a server, which is what is measured here.
var unlimited = []string{"READOUT_LIMIT_REQUESTS=0", "READOUT_LIMIT_READINGS=0", "READOUT_LIMIT_QUERIES=0"}

// serve starts the server and returns when it listens.
func (b *bed) serve(ctx context.Context, flags ...string) error {
	args := append(slices.Clone(b.variables), unlimited...)
	args = append(args, "READOUT_VERIFICATION=off", b.binary, "serve", "--addr", "127.0.0.1:0", "--data-dir", b.data())
	cmd := exec.CommandContext(ctx, "env", append(args, flags...)...) // env becomes the server: same process
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.server = cmd
	var log bytes.Buffer
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		log.Write(append(lines.Bytes(), '\n'))
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			b.url = line.URL
			go func() {
				for lines.Scan() {
				}
			}()
			return nil
		}
	}
	return fmt.Errorf("the server ended:\n%s", log.String())
}

func (b *bed) data() string { return filepath.Join(b.dir, "data") }

func (b *bed) populate(ctx context.Context) error {
	const owner = "bench@example.org"
	if _, err := b.command(ctx, "user", "create", owner, "--generate"); err != nil {
		return err
	}
	out, err := b.command(ctx, "project", "create", "bench", "--owner", owner)
	if err != nil {
		return err
	}
	b.project = strings.Fields(out)[2]
	if out, err = b.command(ctx, "key", "create", "--project", b.project); err != nil {
		return err
	}
	b.key = strings.Fields(out)[4]
	return nil
}

// command runs a subcommand beside the server.
func (b *bed) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.binary, append(args, "--data-dir", b.database)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("readout %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// postgres connects to the server's database.
func (b *bed) postgres(ctx context.Context) (*pgx.Conn, error) {
	url, ok := store.FindRunning(b.database)
	if !ok {
		return nil, errors.New("the embedded server is not to be found")
	}
	return pgx.Connect(ctx, url)
}

// stop ends the server and waits for it; kill does so with kill -9.
func (b *bed) stop() error {
	if b.server == nil {
		return nil
	}
	_ = b.server.Process.Signal(syscall.SIGTERM)
	err := b.server.Wait()
	b.server = nil
	return err
}

func (b *bed) kill() {
	_ = b.server.Process.Kill()
	_ = b.server.Wait()
	b.server = nil
}

func (b *bed) close() error { return errors.Join(b.stop(), os.RemoveAll(b.dir)) }
