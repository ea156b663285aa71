package store

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent asks the kernel to stop the child, fast and cleanly, when the thread that started it ends: see
// startProcess.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = sigFast }

// isServer reports whether the process pid is a PostgreSQL server on the folder data.
func isServer(pid int, data string) bool {
	own, err := os.Stat(data)
	return err == nil && worksIn(strconv.Itoa(pid), own)
}

// serverProcesses returns every process of a PostgreSQL server on the folder data, children that outlived their server
// among them: all of them work in that folder.
func serverProcesses(data string) []int {
	own, err := os.Stat(data)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && worksIn(e.Name(), own) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func worksIn(pid string, data os.FileInfo) bool {
	exe, err := os.Readlink("/proc/" + pid + "/exe")
	// A package update under a running server adds " (deleted)" to the name.
	if err != nil || !strings.HasPrefix(filepath.Base(exe), "postgres") {
		return false
	}
	cwd, err := os.Stat("/proc/" + pid + "/cwd")
	return err == nil && os.SameFile(cwd, data)
}
