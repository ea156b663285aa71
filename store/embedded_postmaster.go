package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// postmaster is what a server says of itself in the file postmaster.pid of its data folder:
// https://www.postgresql.org/docs/current/storage-file-layout.html
type postmaster struct {
	pid     int
	sockets string // the folder of its socket; "" when it has not got that far
	ready   bool   // it takes connections
}

func readPostmaster(data string) (postmaster, error) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return postmaster{}, err
	}
	// pid, data folder, start, port, socket folder, address, shared memory, state; a younger server has fewer lines.
	lines := append(strings.Split(string(b), "\n"), make([]string, 8)...)
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return postmaster{}, fmt.Errorf("read postmaster.pid: no process in line 1")
	}
	return postmaster{pid, lines[4], strings.TrimSpace(lines[7]) == "ready"}, nil
}

// FindRunning returns the URL of the server that a Readout, perhaps another process, keeps on the data folder dir; ok is
// false when there is none, when it does not take connections yet, or when this user may not see it.
func FindRunning(dir string) (url string, ok bool) {
	dir, err := realPath(dir)
	if err != nil {
		return "", false
	}
	data := filepath.Join(dir, "postgres")
	pm, err := readPostmaster(data)
	if err != nil || !pm.ready || pm.sockets == "" || !isServer(pm.pid, data) {
		return "", false
	}
	return socketURL(pm.sockets, embeddedName), true
}

// stopOrphans ends the server that a killed Readout left behind on the folder data, and what its death left of it.
// The caller has the lock on the data folder, so no living Readout uses that server.
func stopOrphans(ctx context.Context, data string, log *slog.Logger) error {
	pm, err := readPostmaster(data)
	if err == nil && isServer(pm.pid, data) {
		log.WarnContext(ctx, "stopping the PostgreSQL server that an earlier Readout left running", "pid", pm.pid)
		_ = signalPID(pm.pid, sigFast)
		if !gone(ctx, data, stopLimit) {
			_ = signalPID(pm.pid, sigImmediate)
		}
	}
	// Without its postmaster a backend ends at its next wait; one that computes is told to.
	if !gone(ctx, data, 2*time.Second) {
		for _, pid := range serverProcesses(data) {
			_ = signalPID(pid, sigImmediate)
		}
	}
	if !gone(ctx, data, quitLimit) {
		return fault.New(fault.Conflict, "an old PostgreSQL server (processes %d) still works in %s and does not end; stop it",
			serverProcesses(data), data)
	}
	return removeStale(data)
}

// removeStale removes the postmaster.pid of a server that is no more. PostgreSQL does so itself unless another process
// has got the number meanwhile, which in a container is likely.
func removeStale(data string) error {
	err := os.Remove(filepath.Join(data, "postmaster.pid"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale postmaster.pid: %w", err)
	}
	return nil
}

// gone waits until no server process works in data, at most for limit.
func gone(ctx context.Context, data string, limit time.Duration) bool {
	// They are not our children, so there is nothing to wait on.
	for deadline := time.Now().Add(limit); ; {
		if len(serverProcesses(data)) == 0 {
			return true
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
}
