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
	server                         *exec.Cmd
}

// newBed builds the program, starts it in a folder of its own and makes a project with a key.
func newBed(ctx context.Context) (*bed, error) {
	b := &bed{}
	if err := b.build(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if err := b.serve(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if err := b.populate(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bed) build() (err error) {
	if b.dir, err = os.MkdirTemp("", "readout-bench-"); err != nil {
		return err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // the database runs as another user when we are root
		return err
	}
	b.binary = filepath.Join(b.dir, "readout")
	out, err := exec.Command("go", "build", "-o", b.binary, "./cmd/readout").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build (run it from the repository's root): %w\n%s", err, out)
	}
	return nil
}

func (b *bed) serve(ctx context.Context) error {
	b.server = exec.CommandContext(ctx, b.binary, "serve", "--addr", "127.0.0.1:0", "--data-dir", b.data())
	b.server.Cancel = func() error { return b.server.Process.Signal(syscall.SIGTERM) }
	b.server.WaitDelay = 30 * time.Second
	stderr, err := b.server.StderrPipe()
	if err != nil {
		return err
	}
	if err := b.server.Start(); err != nil {
		return err
	}
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
	cmd := exec.CommandContext(ctx, b.binary, append(args, "--data-dir", b.data())...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("readout %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// postgres connects to the server's database.
func (b *bed) postgres(ctx context.Context) (*pgx.Conn, error) {
	url, ok := store.FindRunning(b.data())
	if !ok {
		return nil, errors.New("the embedded server is not to be found")
	}
	return pgx.Connect(ctx, url)
}

func (b *bed) close() error {
	var err error
	if b.server != nil && b.server.Process != nil {
		_ = b.server.Process.Signal(syscall.SIGTERM)
		err = b.server.Wait()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}
