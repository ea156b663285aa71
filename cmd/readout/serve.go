package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/hook"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/export"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/mail"
	"github.com/readout-dev/readout/pack"
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
	mailer, err := c.mailer()
	if err != nil {
		return err
	}
	s, err := newServer(ctx, c.Config, mailer, log, func(what string) { log.InfoContext(ctx, "starting", "step", what) })
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "listening", "url", s.url())
	return s.Run(ctx)
}

// server is the whole program, wired:
//
//	devices ──► ingest ──► journal ──commit──► PostgreSQL        people ──► graph, export ──► ent (rules) ──► PostgreSQL
//	           decode      one flusher             │                          │    │
//	           resolve        │                    │ load, catch up           │    ├──► analysis ──► history    packed ∪ tail
//	           append         └──► follower ◄──────┘◄─ replicas               └──► live    what is committed, as it is
//	                                 ├─► tail, live: each entry once, in order
//	                                 └─► pack ──► chunks, rollups ──► PostgreSQL
//
// Start: configuration, pool, migrations, partitions, engines, doors; listening comes last. Stop, in reverse: accept
// nothing more, end the requests under way, close the sockets, drain the journal, end the other engines, close the pool,
// stop the embedded server.
type server struct {
	cfg      Config
	log      *slog.Logger
	database *database
	listener net.Listener
	tls      *tls.Config // nil: plain HTTP
	http     *http.Server
	graph    *graph.Handler
	accounts *account.Accounts
	mail     mail.Sender      // nil: addresses are not verified
	postman  *account.Postman // nil without mail
	journal  *journal.Journal
	replicas *journal.Replicas
	engines  []engine // that run beside the journal
	stopping atomic.Bool
}

// engine is what runs as long as the server does: until ctx ends and its work is drained.
type engine interface {
	Run(ctx context.Context) error
}

// newServer starts all but the loops and the listening; the server must then Run or Close. Without a mailer no address is
// verified.
func newServer(ctx context.Context, cfg Config, mailer mail.Sender, log *slog.Logger, progress func(string)) (_ *server, err error) {
	s := &server{cfg: cfg, mail: mailer, log: log}
	if s.tls, err = cfg.tlsConfig(log); err != nil {
		return nil, err
	}
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
	warnOfOpenSecrets(ctx, os.Getenv, log)
	if _, err := store.Migrate(ctx, s.database.pool, log); err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	if err := store.MakePartitions(ctx, s.database.pool, 1); err != nil { // the keeper goes on from there
		return nil, fmt.Errorf("make partitions: %w", err)
	}
	if err := s.wire(ctx, secret); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("listen on %s (READOUT_ADDR, --addr): %w", cfg.Addr, err)
	}
	return s, nil
}

// wire makes the engines and the doors, and connects them.
func (s *server) wire(ctx context.Context, secret []byte) error {
	pool, client := s.database.pool, s.database.client
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	tokens, issuers, err := newTokens(s.cfg, secret, s.log)
	if err != nil {
		return err
	}
	issuers.Fetch(ctx) // an issuer that does not answer is asked again by and by
	authenticator := auth.NewAuthenticator(client, tokens)
	if err := authenticator.LimitGuesses(s.cfg.LimitWrong); err != nil {
		return err
	}

	changes := &changes{pool: pool, entities: new(entity.Bus), log: s.log}
	jobs, err := s.wireAccounts(authenticator, tokens, changes, registry)
	if err != nil {
		return err
	}
	hook.Tell(client, changes.tell)
	held, series := tail.New(), ingest.NewRegistry(pool, changes.tell)
	hub := live.New(journal.NewReader(pool), live.Config{})
	var follower *journal.Follower
	packer := pack.New(pool, pack.Config{
		Every: s.cfg.PackEvery, MaxUnpacked: s.cfg.MaxUnpacked, Log: s.log, Metrics: registry,
		Packed: func(project, upto int64) { follower.Packed(project, upto) },
	})
	follower = journal.NewFollower(pool, held, hub, packer)
	s.replicas = journal.NewReplicas(pool, follower, journal.ReplicaConfig{Changed: changes.heard, Log: s.log, Metrics: registry})
	s.journal = journal.New(pool, follower, held.LatestTime, journal.Config{Log: s.log, Metrics: registry})
	past := history.New(pool, held, follower, history.Config{Metrics: registry})
	analyst := analysis.New(past, analysis.Config{Parallel: processors()})
	changes.registry, changes.follower, changes.replicas, changes.journal = series, follower, s.replicas, s.journal
	keeper := pack.NewKeeper(pool, pack.KeeperConfig{Delete: changes.delete, Log: s.log, Metrics: registry})
	s.engines = []engine{s.replicas, packer, keeper, pack.NewLatestFlusher(pool, held, pack.LatestConfig{Log: s.log}), issuers, jobs, tidier{}}
	registry.MustRegister(held, hub)

	edge, sockets := s.cfg.boundary(checked), newSocketMetrics(registry)
	s.graph = graph.NewHandler(&graph.Resolver{
		Client: client, Auth: authenticator, History: past, Analysis: analyst, Hub: hub, Journal: follower, Deletions: s.journal,
		Changes: changes, Entities: changes.entities, Cursors: graph.NewCursors(secret), Log: s.log,
		Transactions: store.EntityConnections(pool) / 2, Sent: sockets.answered, Origin: edge.origins.Allow,
		Costs: auth.NewRate(s.cfg.LimitQueries),
	}, sockets.hooks())
	measureSubscriptions(registry, s.graph)
	measureWatermark(registry, follower)

	exports := export.New(client, past, s.log)
	s.http = &http.Server{
		Handler: s.handler(doors{
			readings:      ingest.NewReadings(series, s.journal, ingest.NewMetrics(registry), s.cfg.ingestLimits()),
			export:        exports,
			statistics:    export.NewStatistics(exports, analyst),
			authenticator: authenticator, tokens: tokens, registry: registry, edge: edge,
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		TLSConfig:         s.tls,
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
	scheme := "http://"
	if s.tls != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}
