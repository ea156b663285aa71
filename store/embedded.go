package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role and database of the embedded server; it has no others that matter.
const embeddedName = "readout"

// How long a server is given to stop by itself (a fast shutdown writes a checkpoint), and then to be stopped hard.
const (
	stopLimit = 60 * time.Second
	quitLimit = 10 * time.Second
)

// EmbeddedConfig says where the embedded server lives; only Dir is needed.
type EmbeddedConfig struct {
	Dir      string            // Readout's data folder; the cluster is in Dir/postgres, its log is Dir/postgres.log
	Cache    string            // where fetched binaries go; "" = the user's cache folder + "readout", root: /var/cache/readout
	Log      *slog.Logger      // nil = nobody
	Progress func(what string) // told before what takes long: making the cluster, fetching, recovery; nil = nobody
	Settings map[string]string // further server settings, stronger than ours except for the addresses; for tests

	repository string   // where binaries are fetched from; "" = the default of the library
	search     []string // folders to search for an installed PostgreSQL; nil = the usual ones
}

// Embedded is a PostgreSQL server that runs as a child of this process and holds the lock on its data folder.
// Its methods are safe for concurrent use.
type Embedded struct {
	url     string
	version string
	sockets string
	log     *slog.Logger
	lock    *dirLock
	proc    *process
	output  *serverLog
	died    chan struct{}

	stopOnce sync.Once
	stopping chan struct{}
}

// StartEmbedded starts a PostgreSQL server on cfg.Dir, which it makes when it does not exist, and returns when the
// server takes connections. It needs PostgreSQL MinVersion or newer, installed or fetched, of the major version that
// made the cluster; as root it runs the server as the user postgres, else nobody. A server that a killed Readout left
// running on the folder is stopped first. ctx bounds the start alone.
//
// On Linux the server ends when this process does, however it ends; elsewhere the next start ends it.
//
// Faults: Conflict when another process has the folder or PostgreSQL of the cluster's version is missing, Unavailable
// when there is no PostgreSQL at all, Invalid for a folder that cannot serve.
func StartEmbedded(ctx context.Context, cfg EmbeddedConfig) (_ *Embedded, err error) {
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	user, err := serverUser()
	if err != nil {
		return nil, err
	}
	if cfg.Dir, err = makeDataDir(cfg.Dir, user); err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	e, err := start(ctx, cfg, user)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	e.lock = lock
	go e.watch()
	return e, nil
}

// start does what the lock on the data folder allows.
func start(ctx context.Context, cfg EmbeddedConfig, user account) (*Embedded, error) {
	data := filepath.Join(cfg.Dir, "postgres")
	inst, err := chooseInstall(ctx, cfg, data)
	if err != nil {
		return nil, err
	}
	if err := checkEnter(inst.bin, user, "install PostgreSQL elsewhere"); err != nil {
		return nil, err
	}
	if err := stopOrphans(ctx, data, cfg.Log); err != nil {
		return nil, err
	}
	if err := makeCluster(ctx, cfg, inst, user, data); err != nil {
		return nil, err
	}
	sockets, err := makeSocketDir(cfg.Dir, user)
	if err != nil {
		return nil, err
	}
	e := &Embedded{
		url: socketURL(sockets, embeddedName), version: inst.version(), sockets: sockets, log: cfg.Log,
		died: make(chan struct{}), stopping: make(chan struct{}),
	}
	if e.output, err = openServerLog(filepath.Join(cfg.Dir, "postgres.log")); err != nil {
		return nil, err
	}
	args := append([]string{"-D", data}, serverFlags(cfg.Settings, sockets)...)
	if e.proc, err = startProcess(user, data, e.output, inst.program("postgres"), args...); err != nil {
		return nil, errors.Join(fmt.Errorf("start the PostgreSQL server: %w", err), e.output.Close())
	}
	if err := e.ready(ctx, cfg.Progress); err != nil {
		_ = e.end(ctx)
		return nil, err
	}
	return e, nil
}

// ready waits until the server takes connections and makes sure that Readout's database exists.
func (e *Embedded) ready(ctx context.Context, progress func(string)) error {
	slow := time.After(3 * time.Second)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		err := ensureDatabase(ctx, e.sockets)
		if !IsConnection(err) {
			return err
		}
		select {
		case <-e.proc.exited:
			return fmt.Errorf("the PostgreSQL server ended while it started (%w); its last words were:\n%s",
				e.proc.outcome(), e.output.Tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for the PostgreSQL server: %w (%w)", ctx.Err(), err)
		case <-slow:
			progress("waiting for PostgreSQL, which may be recovering after a crash")
		case <-time.After(wait):
		}
	}
}

func ensureDatabase(ctx context.Context, sockets string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, socketURL(sockets, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, embeddedName).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, `create database `+embeddedName)
	}
	if err != nil {
		return fmt.Errorf("make Readout's database: %w", err)
	}
	return nil
}

// watch closes died when the server ends without having been told to.
func (e *Embedded) watch() {
	<-e.proc.exited
	select {
	case <-e.stopping:
	default:
		e.log.Error("the PostgreSQL server ended by itself", "error", e.proc.outcome(), "last", e.output.Tail())
		close(e.died)
	}
}

// URL returns what Open takes to connect, by a Unix socket, as the server's superuser.
func (e *Embedded) URL() string { return e.url }

// Version returns the server's version, like "15.14".
func (e *Embedded) Version() string { return e.version }

// Done returns a channel that is closed when the server ends by itself; Stop does not close it.
func (e *Embedded) Done() <-chan struct{} { return e.died }

// Stop ends the server and gives the data folder free. Connections are closed and their transactions rolled back. When
// ctx ends first, or after a minute, the server is stopped at once and recovers at its next start. Further calls wait
// for the first and do nothing.
func (e *Embedded) Stop(ctx context.Context) error {
	var err error
	e.stopOnce.Do(func() { err = errors.Join(e.end(ctx), e.lock.release()) })
	return err
}

// end stops the process: fast shutdown, then immediate shutdown, then kill.
func (e *Embedded) end(ctx context.Context) error {
	close(e.stopping)
	defer os.Remove(e.sockets) // when it is empty: one under /tmp would stay for ever
	defer func() { _ = e.output.Close() }()
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	e.proc.signal(sigFast)
	select {
	case <-e.proc.exited:
		return nil
	case <-ctx.Done():
	}
	e.log.Warn("the PostgreSQL server does not stop in time: stopping it hard", "limit", context.Cause(ctx))
	e.proc.signal(sigImmediate)
	select {
	case <-e.proc.exited:
		return nil
	case <-time.After(quitLimit):
	}
	e.proc.signal(os.Kill)
	<-e.proc.exited
	return errors.New("the PostgreSQL server had to be killed")
}
