package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// clusterMajor returns the major version of PostgreSQL that made the cluster in the folder data; 0 when there is no
// folder or it is empty. Fault: Invalid for a folder that holds something else.
func clusterMajor(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			return 0, fault.Wrap(err, fault.Invalid, "%s is not a cluster that Readout can use: its PG_VERSION is not a number", data)
		}
		return major, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fault.Wrap(err, fault.Invalid, "%s cannot be read by this user", data)
	}
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fault.Wrap(err, fault.Invalid, "%s cannot be read by this user", data)
	}
	if len(entries) > 0 {
		return 0, fault.New(fault.Invalid,
			"%s holds files but no PostgreSQL cluster; move them away, or pass another folder with --data-dir", data)
	}
	return 0, nil
}

// makeCluster makes the cluster in the folder data unless it is there. It is made beside it and renamed, so a crash
// leaves no half of one.
func makeCluster(ctx context.Context, cfg EmbeddedConfig, inst install, user account, data string) error {
	if major, err := clusterMajor(data); err != nil || major != 0 {
		return err
	}
	cfg.Progress("making a new PostgreSQL " + inst.version() + " database in " + data)
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the cluster's folder: %w", err)
	}
	if err := giveTo(fresh, user); err != nil {
		return fmt.Errorf("give the cluster's folder to its user: %w", err)
	}
	// Whoever reaches the socket is trusted (see makeSocketDir); TCP would be refused even if somebody opened it.
	_, err := run(ctx, user, fresh, inst.program("initdb"), "-D", fresh, "--username="+embeddedName,
		"--auth-local=trust", "--auth-host=reject", "--data-checksums", "--locale=C", "--encoding=UTF8")
	if err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("put the cluster in place: %w", err)
	}
	return nil
}
