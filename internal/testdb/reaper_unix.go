//go:build unix

package testdb

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// reap waits for the end of its input, which is the end of the test binary, even by kill -9; then it stops the server
// if that still runs, and removes the folder.
const reap = `
cat >/dev/null
pid=$(head -n 1 "$1/postgres/postmaster.pid" 2>/dev/null) && kill -INT "$pid" 2>/dev/null
tries=0
while [ -e "$1/postgres/postmaster.pid" ] && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -rf "$1"`

// reapAfterUs removes the data folder dir, and the server on it, when this process has ended.
func reapAfterUs(dir string) error {
	cmd := exec.Command("/bin/sh", "-c", reap, "reap", dir)
	// A group of its own, so that a Ctrl-C meant for the tests spares it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Its input is a pipe that stays open, unread, as long as this process lives.
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	cmd.Stdin = in
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the reaper: %w", err)
	}
	keepOpen = out
	return nil
}

// keepOpen keeps the reaper's pipe from being closed by the garbage collector.
var keepOpen *os.File //nolint:unused // holding it is its use

// lockFile waits for the lock on path.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
