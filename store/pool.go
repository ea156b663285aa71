package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
)

// MinVersion is the oldest major version of PostgreSQL that Readout works with.
const MinVersion = 15

// PoolConfig sets the limits of a pool; its zero value is right for one server process.
type PoolConfig struct {
	MaxConns         int32         // connections at most; 0 = 16
	StatementTimeout time.Duration // how long one statement may run; 0 = 30 s. Maintain lifts it
	Log              *slog.Logger  // told when the server's settings may lose data; nil = nobody
}

// Open connects to the PostgreSQL server at url (a URL or a libpq keyword string) and returns a pool that is safe for
// concurrent use; the caller closes it. Parameters that the url sets itself (statement_timeout, application_name …)
// win over those of cfg.
//
// Faults: Invalid for a url that cannot be read, Unavailable for a server that does not answer, Conflict for one older
// than MinVersion. Neither the url nor its password is part of any error or log line.
func Open(ctx context.Context, url string, cfg PoolConfig) (*pgxpool.Pool, error) {
	pc, err := poolConfig(url, cfg)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, Fault(err)
	}
	if err := greet(ctx, pool, cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func poolConfig(url string, cfg PoolConfig) (*pgxpool.Config, error) {
	pc, err := pgxpool.ParseConfig(url)
	if err != nil {
		// err quotes the url, so it is not even kept as the cause.
		return nil, fault.New(fault.Invalid,
			"the database URL cannot be read; it looks like postgres://user:password@host:5432/database")
	}
	pc.MaxConns = cmp.Or(cfg.MaxConns, 16)
	pc.MaxConnLifetime = time.Hour
	pc.MaxConnLifetimeJitter = 10 * time.Minute
	pc.MaxConnIdleTime = 10 * time.Minute
	if pc.ConnConfig.ConnectTimeout == 0 {
		pc.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	params := pc.ConnConfig.RuntimeParams
	for name, value := range map[string]string{
		"application_name":                    "readout",
		"statement_timeout":                   milliseconds(cmp.Or(cfg.StatementTimeout, 30*time.Second)),
		"idle_in_transaction_session_timeout": milliseconds(time.Minute),
		"timezone":                            "UTC",
		"synchronous_commit":                  "on",
		"jit":                                 "off", // no statement here is long enough for it to pay
		// A generic plan of a partitioned table would lock and look at every partition.
		"plan_cache_mode": "force_custom_plan",
		// A client that is gone without a word, as its machine or the network between is, keeps its locks until the server
		// notices: here after a minute, or one and a half. Over Unix sockets they mean nothing.
		"tcp_keepalives_idle":     "60", // s
		"tcp_keepalives_interval": "10", // s
		"tcp_keepalives_count":    "3",
		"tcp_user_timeout":        milliseconds(time.Minute),
	} {
		if _, set := params[name]; !set {
			params[name] = value
		}
	}
	return pc, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// greet refuses a server that is too old and warns of one that may lose what it has acknowledged.
func greet(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	var num int
	err := pool.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&num)
	if err != nil {
		return Fault(fmt.Errorf("connect to the database: %w", err))
	}
	if err := checkVersion(num); err != nil {
		return err
	}
	problem, err := Durable(ctx, pool)
	if err != nil {
		return err
	}
	if problem != "" {
		log.WarnContext(ctx, "the database may lose acknowledged readings", "problem", problem)
	}
	return nil
}

// checkVersion takes a server_version_num, like 150014.
func checkVersion(num int) error {
	if major := num / 10000; major < MinVersion {
		return fault.New(fault.Conflict, "the database server is PostgreSQL %d; Readout needs %d or newer", major, MinVersion)
	}
	return nil
}

// Durable says in problem why the server might lose or corrupt data that it has acknowledged, by a setting that is off;
// "" when there is no reason. It is one statement. Faults: Unavailable.
func Durable(ctx context.Context, pool *pgxpool.Pool) (problem string, err error) {
	const query = `
		select coalesce(string_agg(name, ', ' order by name), '')
		from pg_settings
		where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'`
	if err := pool.QueryRow(ctx, query).Scan(&problem); err != nil {
		return "", Fault(fmt.Errorf("read the server's settings: %w", err))
	}
	if problem != "" {
		problem += " off: a crash of the database server may lose or corrupt acknowledged data"
	}
	return problem, nil
}

// Maintain runs fn on one connection of the pool with the timeouts of statements and of idle transactions lifted, for
// work that may rightly take minutes. The next user of the connection finds the timeouts as they were. Only ctx bounds
// fn. It returns fn's error as it is, and faults of its own as Fault does.
func Maintain(ctx context.Context, pool *pgxpool.Pool, fn func(conn *pgx.Conn) error) error {
	return maintain(ctx, pool, liftTimeouts, fn)
}

// MaintainAwake is Maintain for a transaction that others wait for: it may take long, but when it is idle for as long as the
// pool allows, since this process hangs, it is over, and its locks are free.
func MaintainAwake(ctx context.Context, pool *pgxpool.Pool, fn func(conn *pgx.Conn) error) error {
	return maintain(ctx, pool, liftStatementTimeout, fn)
}

func maintain(ctx context.Context, pool *pgxpool.Pool, lift string, fn func(conn *pgx.Conn) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return Fault(fmt.Errorf("acquire a connection: %w", err))
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, lift); err != nil {
		return Fault(fmt.Errorf("lift the timeouts: %w", err))
	}
	defer restoreTimeouts(ctx, conn.Conn())
	return fn(conn.Conn())
}

// All are set per session, so RESET returns to what the connection was opened with.
const (
	liftStatementTimeout = `set statement_timeout = 0`
	liftTimeouts         = liftStatementTimeout + `; set idle_in_transaction_session_timeout = 0`
	resetTimeouts        = `reset statement_timeout; reset idle_in_transaction_session_timeout`
)

// restoreTimeouts closes the connection when it cannot reset it, so that no pool hands it on without its timeouts.
func restoreTimeouts(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, resetTimeouts); err != nil {
		_ = conn.Close(ctx)
	}
}
