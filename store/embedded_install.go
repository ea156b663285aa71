package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// install is a PostgreSQL on this machine.
type install struct {
	bin          string // the folder of its programs, symlinks resolved
	major, minor int
}

func (i install) version() string { return fmt.Sprintf("%d.%d", i.major, i.minor) }

func (i install) program(name string) string { return filepath.Join(i.bin, executable(name)) }

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// chooseInstall returns the PostgreSQL for the folder data: of the cluster's major version when there is one, else the
// newest that is installed, else one that it fetches. Nothing in data is touched.
func chooseInstall(ctx context.Context, cfg EmbeddedConfig, data string) (install, error) {
	major, err := clusterMajor(data)
	if err != nil {
		return install{}, err
	}
	cache, err := cacheDir(cfg.Cache)
	if err != nil {
		return install{}, err
	}
	dirs := cfg.search
	if dirs == nil {
		dirs = usualDirs(ctx)
	}
	installed := findInstalls(ctx, dirs)
	if i, ok := pick(installed, major); ok {
		return i, nil
	}
	// What was fetched is second choice: nobody updates it.
	if i, ok := pick(findInstalls(ctx, []string{fetchedBin(cache)}), major); ok {
		return i, nil
	}
	if major != 0 && major != fetchMajor {
		return install{}, wrongVersion(data, major, installed)
	}
	return fetch(ctx, cfg.repository, cache, cfg.Progress)
}

// pick returns the newest install, or the newest of one major version unless that is 0.
func pick(installs []install, major int) (best install, ok bool) {
	for _, i := range installs {
		fits := i.major >= MinVersion && (major == 0 || i.major == major)
		if fits && (!ok || cmp.Or(cmp.Compare(i.major, best.major), cmp.Compare(i.minor, best.minor)) > 0) {
			best, ok = i, true
		}
	}
	return best, ok
}

func wrongVersion(data string, major int, installed []install) error {
	if major < MinVersion {
		return fault.New(fault.Conflict, "%s was made by PostgreSQL %d and Readout needs %d or newer: move it over with "+
			"pg_upgrade, or pass another folder with --data-dir", data, major, MinVersion)
	}
	have := "none is installed"
	if len(installed) > 0 {
		var versions []string
		for _, i := range installed {
			versions = append(versions, i.version())
		}
		have = "here is " + strings.Join(versions, ", ")
	}
	return fault.New(fault.Conflict, "%s was made by PostgreSQL %d and needs that version to run (%s): install "+
		"PostgreSQL %d, or pass another folder with --data-dir", data, major, have, major)
}

// usualDirs returns the folders where PostgreSQL's programs may be, the user's choice (PATH) first.
func usualDirs(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian
		"/usr/lib/postgresql*/bin",  // Gentoo, openSUSE
		"/usr/libexec/postgresql*",  // Alpine
		"/usr/pgsql-*/bin",          // Red Hat
		"/usr/local/pgsql/bin",      // built by hand
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		`C:\Program Files\PostgreSQL\*\bin`,
	} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	return dirs
}

// findInstalls returns the installs in dirs that have the programs and run.
func findInstalls(ctx context.Context, dirs []string) []install {
	var all []install
	for _, dir := range dirs {
		// The programs are often symlinks, and look for their libraries beside where they really are.
		real, err := filepath.EvalSymlinks(filepath.Join(dir, executable("postgres")))
		if err != nil {
			continue
		}
		i := install{bin: filepath.Dir(real)}
		if slices.ContainsFunc(all, func(o install) bool { return o.bin == i.bin }) {
			continue
		}
		if _, err := os.Stat(i.program("initdb")); err != nil {
			continue
		}
		if i.major, i.minor, err = programVersion(ctx, i.program("postgres")); err == nil {
			all = append(all, i)
		}
	}
	return all
}

// versionPattern reads "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)" and "… 18beta1".
var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)(?:\.(\d+))?`)

func programVersion(ctx context.Context, postgres string) (major, minor int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := answer(ctx, postgres, "--version")
	if err != nil {
		return 0, 0, fmt.Errorf("run %s --version: %w", postgres, err)
	}
	m := versionPattern.FindStringSubmatch(string(out))
	if m == nil {
		return 0, 0, fmt.Errorf("run %s --version: no version in its answer", postgres)
	}
	major, _ = strconv.Atoi(m[1])
	minor, _ = strconv.Atoi(m[2])
	return major, minor, nil
}

// answer runs a program and returns what it writes. A program that was unpacked an instant ago may still be open for
// writing in a child that another goroutine is about to exec (https://go.dev/issue/22315): that passes.
func answer(ctx context.Context, program string, args ...string) ([]byte, error) {
	for try := 1; ; try++ {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env = childEnv(program)
		out, err := cmd.Output()
		if try == 10 || !errors.Is(err, syscall.ETXTBSY) {
			return out, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
