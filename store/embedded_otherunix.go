//go:build unix && !linux

package store

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing: only Linux can tie a child to its parent. The next start stops a server left behind.
func dieWithParent(*syscall.SysProcAttr) {}

// isServer reports whether the process pid is a PostgreSQL server on the folder data, by its command line.
func isServer(pid int, data string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), data)
}

// serverProcesses returns the server that postmaster.pid names, if it lives. Its children cannot be told from others';
// PostgreSQL itself refuses to start beside them.
func serverProcesses(data string) []int {
	pm, err := readPostmaster(data)
	if err != nil || !isServer(pm.pid, data) {
		return nil
	}
	return []int{pm.pid}
}

// memory returns 0: unknown.
func memory() uint64 { return 0 }
