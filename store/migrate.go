package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store/migrations"
)

//go:embed migrations/[0-9]*
var history embed.FS

// Migrations returns the files of the schema's history, named NNNN_what.sql or .go, at the root of the file system.
func Migrations() fs.FS {
	sub, err := fs.Sub(history, "migrations")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return sub
}

// Migration is one step of the schema's history.
type Migration struct {
	Version   int64
	Name      string    // its file
	AppliedAt time.Time // UTC; zero when it is still to be applied
}

// Migrate applies, each in its own transaction, the migrations that the database does not have yet and returns the names of
// their files in order; one that is Go may take several transactions, and goes on where it was when it is cut off. It may run
// in several processes at once: one works, the others wait for it, five minutes at most. It needs two of the pool's
// connections. The statement timeout does not apply to what is SQL. log is told of each migration; nil tells nobody.
//
// Faults: Conflict when a newer Readout has already migrated the database, otherwise as Fault.
func Migrate(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) ([]string, error) {
	p, closeDB, err := provider(pool, Migrations(), inGo(pool)...)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return nil, Fault(fmt.Errorf("read the schema's version: %w", err))
	}
	if current > target {
		return nil, fault.New(fault.Conflict,
			"the database has schema version %d and this Readout knows up to %d: run the newer Readout", current, target)
	}
	results, err := p.Up(ctx)
	if err != nil {
		return nil, Fault(fmt.Errorf("migrate: %w", err))
	}
	var applied []string
	for _, r := range results {
		applied = append(applied, path.Base(r.Source.Path))
		if log != nil {
			log.InfoContext(ctx, "migrated the database", "migration", path.Base(r.Source.Path), "took", r.Duration)
		}
	}
	return applied, nil
}

// MigrationStatus returns the whole history that this binary knows, oldest first. It applies nothing. Faults: as Fault.
func MigrationStatus(ctx context.Context, pool *pgxpool.Pool) ([]Migration, error) {
	p, closeDB, err := provider(pool, Migrations(), inGo(pool)...)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	status, err := p.Status(ctx)
	if err != nil {
		return nil, Fault(fmt.Errorf("read the schema's history: %w", err))
	}
	all := make([]Migration, len(status))
	for i, s := range status {
		all[i] = Migration{s.Source.Version, path.Base(s.Source.Path), s.AppliedAt.UTC()}
	}
	return all, nil
}

// inGo returns the steps of the history that are Go: each has its file, by which goose knows its name, and is run without a
// transaction, on another connection than the one that has the lock.
func inGo(pool *pgxpool.Pool) []*goose.Migration {
	step := func(version int64, up func(context.Context, *pgxpool.Pool) error) *goose.Migration {
		return goose.NewGoMigration(version, &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error { return up(ctx, pool) }}, nil)
	}
	return []*goose.Migration{
		step(4, migrations.Jobs),
	}
}

func provider(pool *pgxpool.Pool, files fs.FS, coded ...*goose.Migration) (*goose.Provider, func(), error) {
	// A second between tries: a blocking lock would hold a snapshot, for which CREATE INDEX CONCURRENTLY in the process
	// that has the lock would wait for ever.
	inner, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, nil, fmt.Errorf("make the migration lock: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(unhurried{inner}), goose.WithSlog(slog.New(slog.DiscardHandler)),
		goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(coded...))
	if err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, func() { _ = db.Close() }, nil
}

// unhurried lifts the timeouts of the session that has the lock: goose runs the migrations in the same one.
type unhurried struct{ lock.SessionLocker }

func (u unhurried) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, liftTimeouts); err != nil {
		return fmt.Errorf("lift the timeouts: %w", err)
	}
	return u.SessionLocker.SessionLock(ctx, conn)
}

func (u unhurried) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	err := u.SessionLocker.SessionUnlock(ctx, conn)
	_ = conn.Raw(func(driver any) error {
		restoreTimeouts(ctx, driver.(*stdlib.Conn).Conn())
		return nil
	})
	return err
}
