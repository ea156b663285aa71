package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"

	"github.com/readout-dev/readout/internal/fault"
)

// The PostgreSQL that is fetched where none is installed.
const (
	fetchVersion = embeddedpostgres.V18
	fetchMajor   = 18
)

// noFolder is a path that no system can make. The library that fetches PostgreSQL would go on to make and start a
// cluster, and wipes a data folder of another version; given this for a data folder it stops right after unpacking.
const noFolder = "no\x00folder"

// fetch downloads PostgreSQL, unpacks it into the cache and returns it. repository is a Maven repository's URL; "" is
// the library's own. A call that ctx ends leaves its download to run out in the background. Fault: Unavailable.
func fetch(ctx context.Context, repository, cache string, progress func(string)) (install, error) {
	progress(fmt.Sprintf("PostgreSQL is not installed here: fetching PostgreSQL %s (about 30 MB)", fetchVersion))
	done := make(chan error, 1)
	go func() { done <- fetchInto(repository, cache) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return install{}, fault.Wrap(err, fault.Unavailable, "PostgreSQL is not installed here and could not be fetched. %s", installHint())
	}
	major, minor, err := programVersion(ctx, filepath.Join(fetchedBin(cache), executable("postgres")))
	if err != nil {
		return install{}, fault.Wrap(err, fault.Unavailable, "the PostgreSQL that was fetched does not run on this system. %s", installHint())
	}
	return install{fetchedBin(cache), major, minor}, nil
}

// fetchInto unpacks into a folder of its own and renames it when it is complete, so that neither a crash nor a second
// process leaves half of one.
func fetchInto(repository, cache string) (err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics where it cannot clean up
			err = fmt.Errorf("fetch PostgreSQL: %v", r)
		}
	}()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	staging, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return fmt.Errorf("make a folder in the cache: %w", err)
	}
	defer os.RemoveAll(staging)
	unpacked := filepath.Join(staging, "unpacked")
	cfg := embeddedpostgres.DefaultConfig().
		Version(fetchVersion).
		CachePath(filepath.Join(staging, "archive")).
		RuntimePath(filepath.Join(staging, "runtime")).
		BinariesPath(unpacked).
		DataPath(noFolder).
		Port(0). // it insists on a free one
		Logger(io.Discard)
	if repository != "" {
		cfg = cfg.BinaryRepositoryURL(repository)
	}
	// Start fails in any case, at noFolder if not before: what counts is what it has unpacked.
	startErr := embeddedpostgres.NewDatabase(cfg).Start()
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(unpacked, "bin", executable(name))); err != nil {
			return fmt.Errorf("fetch PostgreSQL: %w", cmp.Or(startErr, err))
		}
	}
	if err := os.Rename(unpacked, fetchedDir(cache)); err != nil && !isFetched(cache) {
		return fmt.Errorf("put the fetched PostgreSQL in place: %w", err)
	}
	return nil
}

func fetchedDir(cache string) string {
	return filepath.Join(cache, "postgresql-"+string(fetchVersion))
}

func fetchedBin(cache string) string { return filepath.Join(fetchedDir(cache), "bin") }

func isFetched(cache string) bool {
	_, err := os.Stat(filepath.Join(fetchedBin(cache), executable("postgres")))
	return err == nil
}

// cacheDir returns the folder for fetched binaries. Root's own cache folder is closed to the server's user.
func cacheDir(configured string) (string, error) {
	if configured != "" {
		return filepath.Abs(configured)
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		return "/var/cache/readout", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errors.Join(fault.New(fault.Invalid, "this user has no cache folder; set the cache folder"), err)
	}
	return filepath.Join(dir, "readout"), nil
}

// installHint says how to get PostgreSQL on this system.
func installHint() string {
	how := "Install it from https://www.postgresql.org/download/"
	for _, try := range []struct{ program, line string }{
		{"apt-get", "sudo apt install postgresql"},
		{"dnf", "sudo dnf install postgresql-server"},
		{"apk", "sudo apk add postgresql"},
		{"pacman", "sudo pacman -S postgresql"},
		{"zypper", "sudo zypper install postgresql-server"},
		{"brew", "brew install postgresql@17"},
	} {
		if _, err := exec.LookPath(try.program); err == nil {
			how = "Install it (" + try.line + ")"
			break
		}
	}
	return how + ", or point READOUT_DATABASE_URL at a server, for example one started by " +
		"docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres:17"
}
