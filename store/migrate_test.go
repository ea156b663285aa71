package store_test

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// emptyURL returns the URL of a database without a schema.
func emptyURL(t *testing.T) string {
	t.Helper()
	url := testdb.URL(t)
	if _, err := testdb.Open(t, url).Exec(t.Context(), `drop schema public cascade; create schema public`); err != nil {
		t.Fatal(err)
	}
	return url
}

func migrationNames(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(store.Migrations(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestMigrateAppliesEachMigrationOnce(t *testing.T) {
	t.Parallel()
	pool := testdb.Open(t, emptyURL(t))
	want := strings.Join(migrationNames(t), " ")
	status, err := store.MigrationStatus(t.Context(), pool)
	if err != nil || len(status) == 0 || !status[0].AppliedAt.IsZero() {
		t.Errorf("before: %v, %v", status, err)
	}
	applied, err := store.Migrate(t.Context(), pool, nil)
	if err != nil || strings.Join(applied, " ") != want {
		t.Fatalf("the first time %v is applied (%v), want %s", applied, err, want)
	}
	if applied, err = store.Migrate(t.Context(), pool, nil); err != nil || len(applied) != 0 {
		t.Errorf("the second time %v is applied (%v), want nothing", applied, err)
	}
	status, err = store.MigrationStatus(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range status {
		if m.Name != migrationNames(t)[i] || m.Version != int64(i+1) || time.Since(m.AppliedAt) > time.Minute {
			t.Errorf("after: migration %d is %+v", i+1, m)
		}
	}
}

func TestMigrateInSeveralProcessesAtOnceAppliesEachMigrationOnce(t *testing.T) {
	t.Parallel()
	url := emptyURL(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []string
	for range 4 {
		wg.Go(func() {
			pool, err := store.Open(t.Context(), url, store.PoolConfig{})
			if err != nil {
				t.Error(err)
				return
			}
			defer pool.Close()
			applied, err := store.Migrate(t.Context(), pool, nil)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, applied...)
		})
	}
	wg.Wait()
	if got, want := strings.Join(all, " "), strings.Join(migrationNames(t), " "); got != want {
		t.Errorf("together they have applied %q, want %q", got, want)
	}
}

func TestMigrateRefusesTheDatabaseOfANewerReadout(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	if _, err := pool.Exec(t.Context(), `insert into goose_db_version (version_id, is_applied) values (9999, true)`); err != nil {
		t.Fatal(err)
	}
	_, err := store.Migrate(t.Context(), pool, nil)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Of(err).Message, "9999") {
		t.Errorf("migrate: %v, want a conflict with version 9999", err)
	}
}

func TestMigrationsMayOutlastTheStatementTimeout(t *testing.T) {
	t.Parallel()
	pool, err := store.Open(t.Context(), emptyURL(t), store.PoolConfig{MaxConns: 1, StatementTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	p, done, err := store.MigrationProvider(pool, fstest.MapFS{
		"0001_slow.sql": {Data: []byte("-- +goose Up\nselect pg_sleep(1);\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if _, err := p.Up(t.Context()); err != nil {
		t.Errorf("a slow migration: %v", err)
	}
	if _, err := pool.Exec(t.Context(), `select pg_sleep(9)`); !fault.Is(store.Fault(err), fault.Unavailable) {
		t.Errorf("a slow statement after it: %v, want the timeout", err)
	}
}

func TestMigratingProcessesWaitForEachOther(t *testing.T) {
	t.Parallel()
	url := emptyURL(t)
	var wg sync.WaitGroup
	for range 3 {
		pool := testdb.Open(t, url)
		wg.Go(func() {
			p, done, err := store.MigrationProvider(pool, fstest.MapFS{
				"0001_slow.sql": {Data: []byte("-- +goose Up\nselect pg_sleep(0.3);\ncreate table made_once ();\n")},
			})
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			if _, err := p.Up(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
