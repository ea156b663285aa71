package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/store"
)

// server is a running PostgreSQL whose database template is migrated and used by nobody.
type server struct {
	url      string
	template string

	mu    sync.Mutex
	admin *pgx.Conn // to another database; guarded by mu
}

// settings make the server small, as several test binaries run at once; durability stays as it is.
var settings = map[string]string{
	"shared_buffers":  "64MB",
	"max_connections": "200",
	"max_wal_size":    "1GB",
	"min_wal_size":    "32MB",
}

// startServer starts the server of this process on a copy of the prepared cluster.
func startServer() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	base, err := baseDir()
	if err != nil {
		return nil, err
	}
	prepared, err := prepare(ctx, base)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(base, "run-")
	if err != nil {
		return nil, err
	}
	if err := reapAfterUs(dir); err != nil {
		return nil, err
	}
	// The server's own user must get to the cluster; the cluster itself is closed to others.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-Rp", filepath.Join(prepared, "postgres"), dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the prepared cluster: %w: %s", err, out)
	}
	e, err := store.StartEmbedded(ctx, store.EmbeddedConfig{Dir: dir, Settings: settings})
	if err != nil {
		return nil, err
	}
	// Copying a database writes all its pages to the log; compressing them would take three times as long.
	admin, err := pgx.Connect(ctx, withDatabase(e.URL(), "postgres")+"&wal_compression=off")
	if err != nil {
		return nil, err
	}
	return &server{url: e.URL(), template: "readout", admin: admin}, nil
}

// do runs a statement that makes or drops a database.
func (s *server) do(statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Not a test's context: a database half made would be in the way of the others.
	_, err := s.admin.Exec(context.Background(), statement)
	return err
}

// baseDir returns the folder of all this user's test clusters, made if need be.
func baseDir() (string, error) {
	base := filepath.Join(os.TempDir(), "readout-testdb-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(base, 0o711); err != nil {
		return "", err
	}
	return base, nil
}

// prepare returns a data folder with a stopped cluster whose database readout is migrated. The first test binary that
// needs it makes it; others wait. Another schema or another day has another folder.
func prepare(ctx context.Context, base string) (string, error) {
	key, err := schemaKey()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "cluster-"+key)
	unlock, err := lockFile(filepath.Join(base, "prepare.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	sweep(base, dir)
	if _, err := os.Stat(dir); err == nil {
		return dir, os.Chtimes(dir, time.Time{}, time.Now())
	}
	fresh := dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", err
	}
	if err := os.Mkdir(fresh, 0o711); err != nil {
		return "", err
	}
	if err := migrate(ctx, fresh); err != nil {
		return "", err
	}
	return dir, os.Rename(fresh, dir)
}

// migrate makes the cluster in dir, brings its database up to date and stops the server again.
func migrate(ctx context.Context, dir string) (err error) {
	e, err := store.StartEmbedded(ctx, store.EmbeddedConfig{Dir: dir, Settings: settings})
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := e.Stop(ctx); err == nil {
			err = stopErr
		}
	}()
	pool, err := store.Open(ctx, e.URL(), store.PoolConfig{})
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := store.Migrate(ctx, pool, nil); err != nil {
		return err
	}
	return store.MakePartitions(ctx, pool, 2)
}

// schemaKey names what a prepared cluster depends on: the migrations, and the day for its partitions.
func schemaKey() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, time.Now().UTC().Format(time.DateOnly), settings)
	err := fs.WalkDir(store.Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(store.Migrations(), path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(b), b)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

// sweep removes prepared clusters that nobody has used for two days, and what unfinished ones left.
func sweep(base, current string) {
	entries, _ := os.ReadDir(base)
	for _, e := range entries {
		path := filepath.Join(base, e.Name())
		info, err := e.Info()
		old := err == nil && time.Since(info.ModTime()) > 48*time.Hour
		if old && path != current && (strings.HasPrefix(e.Name(), "cluster-") || strings.HasPrefix(e.Name(), "run-")) {
			_ = os.RemoveAll(path)
		}
	}
}
