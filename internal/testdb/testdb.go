// Package testdb gives a test a PostgreSQL database of its own, migrated, in milliseconds.
//
// Each test binary starts one server, the same embedded one that `readout serve` uses, on a copy of a cluster that
// holds the migrated schema; a test's database is a copy of that within the server. fsync stays on, so what a
// benchmark measures is real. The server and its folder go away with the test binary, however that ends: see reaper.go.
// Without PostgreSQL a test fails and says how to install it.
//
// Start reading at New; server.go makes the cluster.
package testdb

import (
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// shared is the one server of this test binary.
var shared = sync.OnceValues(startServer)

var databases atomic.Int64

// New returns a pool on a migrated, empty database that nobody else uses, with the journal's partitions of yesterday to
// the day after tomorrow. Both are gone when the test ends; a connection that the test has not given back by then fails
// it.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Open(t, URL(t))
}

// Open returns a pool on the database at url, one that URL gave; the pool is closed when the test ends.
func Open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := store.Open(t.Context(), url, store.PoolConfig{})
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// URL returns the URL of a database like New's, for a test that opens its own pool or starts the real program on it.
func URL(t testing.TB) string {
	t.Helper()
	srv, err := shared()
	if err != nil {
		t.Fatalf("start the tests' PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := srv.do(`create database ` + name + ` template ` + srv.template); err != nil {
		t.Fatalf("make the test's database: %v", err)
	}
	t.Cleanup(func() {
		if err := srv.do(`drop database ` + name + ` with (force)`); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(srv.url, name)
}

// closePool closes the pool; it fails the test rather than wait for a connection that nobody will give back.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Errorf("the test has not given %d connections back", pool.Stat().AcquiredConns())
	}
}

func withDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // the server's own URL
	}
	u.Path = "/" + name
	return u.String()
}
