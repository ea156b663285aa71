package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// serveCmd runs the server until it is told to stop.
type serveCmd struct {
	Config `embed:""`
}

// Run serves.
func (c *serveCmd) Run(ctx context.Context, con console) error {
	log := con.logger(c.Config)
	s, err := newServer(ctx, c.Config, log, func(what string) { log.InfoContext(ctx, "starting", "step", what) })
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "listening", "url", s.url())
	return s.Run(ctx)
}

// server is the whole program, wired:
//
//	devices ──► ingest ──► journal ──commit──► PostgreSQL        people ──► graph ──► ent (rules) ──► PostgreSQL
//	           decode      one flusher             │                          │ │
//	           resolve        │                    │ load, catch up           │ └─► tail    readings, latest
//	           append         └──► follower ◄──────┘                          └──► live    what is committed, as it is
//	                                 └─► tail, live: each entry once, in order
//
// Start: configuration, pool, migrations, partitions, engines, doors; listening comes last. Stop, in reverse: accept
// nothing more, end the requests under way, close the sockets, drain the journal, close the pool, stop the embedded server.
type server struct {
	cfg      Config
	log      *slog.Logger
	database *database
	listener net.Listener
	http     *http.Server
	graph    *graph.Handler
	journal  *journal.Journal
	accounts *auth.Accounts
	stopping atomic.Bool
}

// newServer starts all but the loops and the listening; the server must then Run or Close.
func newServer(ctx context.Context, cfg Config, log *slog.Logger, progress func(string)) (_ *server, err error) {
	s := &server{cfg: cfg, log: log}
	if s.database, err = openDatabase(ctx, cfg, log, progress); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.database.close())
		}
	}()
	secret, err := tokenSecret(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := store.Migrate(ctx, s.database.pool, log); err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	if err := store.MakePartitions(ctx, s.database.pool, partitionsAhead); err != nil {
		return nil, fmt.Errorf("make partitions: %w", err)
	}
	if err := s.wire(secret); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("listen on %s (READOUT_ADDR, --addr): %w", cfg.Addr, err)
	}
	return s, nil
}

// wire makes the engines and the doors, and connects them.
func (s *server) wire(secret []byte) error {
	pool, client := s.database.pool, s.database.client
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: secret, TTL: s.cfg.TokenTTL})
	if err != nil {
		return fmt.Errorf("READOUT_JWT_SECRET: %w", err)
	}
	authenticator := auth.NewAuthenticator(client, tokens)
	if s.accounts, err = auth.NewAccounts(client, auth.NewPasswords(auth.PasswordConfig{}), tokens); err != nil {
		return err
	}

	held := tail.New()
	hub := live.New(journal.NewReader(pool), live.Config{})
	follower := journal.NewFollower(pool, held, hub)
	s.journal = journal.New(pool, follower, held.LatestTime, journal.Config{Log: s.log, Metrics: registry})
	registry.MustRegister(held, hub)

	series := ingest.NewRegistry(pool)
	sockets := newSocketMetrics(registry)
	s.graph = graph.NewHandler(&graph.Resolver{
		Client: client, Auth: authenticator, Tail: held, Hub: hub, Journal: follower,
		Changes: changes{pool, series, held, follower}, Cursors: graph.NewCursors(secret), Log: s.log,
		Transactions: store.EntityConnections(pool) / 2,
	}, sockets.hooks())

	s.http = &http.Server{
		Handler: s.routes(doors{
			readings:      ingest.NewReadings(series, s.journal, ingest.NewMetrics(registry)),
			authenticator: authenticator, registry: registry,
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // what clients do to their connections
	}
	return nil
}

// url is where the server listens, as a client on this machine reaches it.
func (s *server) url() string {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Run serves until ctx ends or something that it needs does, and returns when everything has stopped.
func (s *server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	draining, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()

	drained := make(chan error, 1)
	go func() { drained <- s.journal.Run(draining) }()
	go func() { cancel(cmp.Or(s.http.Serve(s.listener), http.ErrServerClosed)) }()
	go s.keepPartitions(ctx)
	go func() {
		select {
		case <-s.database.died():
			cancel(errors.New("the embedded PostgreSQL ended by itself: its log is postgres.log in the data folder"))
		case <-draining.Done():
		}
	}()

	<-ctx.Done()
	cause := context.Cause(ctx)
	s.log.InfoContext(ctx, "stopping", "why", cause.Error())
	err := s.stop(drain, drained)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, http.ErrServerClosed) {
		return err
	}
	return errors.Join(cause, err)
}

// stop is the end of Run: in the reverse order of the data's flow, so that nothing that was taken in is lost.
func (s *server) stop(drain context.CancelFunc, drained <-chan error) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.ShutdownGrace)
	defer cancel()
	var errs []error
	sockets := make(chan error, 1)
	go func() { sockets <- s.graph.Shutdown(ctx) }()
	if err := s.http.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("end the requests under way: %w", err), s.http.Close())
	}
	errs = append(errs, <-sockets)
	drain()
	errs = append(errs, <-drained, s.database.close())
	return errors.Join(errs...)
}

// close gives up a server that never ran.
func (s *server) close() error { return errors.Join(s.listener.Close(), s.database.close()) }

// partitionsAhead is how many days of the journal's partitions are made in advance.
const partitionsAhead = 7

// keepPartitions makes the journal's partitions ahead of time. When it fails there are days to try again.
func (s *server) keepPartitions(ctx context.Context) {
	for tick := time.NewTicker(time.Hour); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if err := store.MakePartitions(ctx, s.database.pool, partitionsAhead); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "partitions cannot be made ahead", "error", err)
		}
	}
}

// changes tells those who remember entities that they changed.
type changes struct {
	pool     *pgxpool.Pool
	registry *ingest.Registry
	tail     *tail.Tail
	follower *journal.Follower
}

// SeriesChanged implements graph.Changes.
func (c changes) SeriesChanged(project int64, deleted []int64) {
	c.registry.Forget(project)
	c.tail.Forget(project, deleted...)
}

// EmptyJournal implements graph.Changes.
func (c changes) EmptyJournal(ctx context.Context, project int64) error {
	return store.EmptyJournal(ctx, c.pool, project)
}

// ProjectDeleted implements graph.Changes.
func (c changes) ProjectDeleted(project int64) {
	c.registry.Forget(project)
	c.follower.Forget(project) // and with it tail and hub
}
