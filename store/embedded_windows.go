package store

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/readout-dev/readout/internal/fault"
)

const (
	sigFast      = syscall.SIGINT
	sigImmediate = syscall.SIGQUIT
)

// serverUser refuses: on Windows a server would need TCP, a password and a way to be stopped that signals do not give.
func serverUser() (account, error) {
	return account{}, fault.New(fault.Invalid, "Readout does not run its own PostgreSQL on Windows; "+
		"install PostgreSQL and point READOUT_DATABASE_URL at it, or run Readout in Docker or WSL")
}

func ownerOf(fs.FileInfo) (uid, gid uint32) { return 0, 0 }

func childAttr(account) *syscall.SysProcAttr { return nil }

func tryLock(*os.File) (bool, error) { return true, nil }

func signalPID(int, os.Signal) error { return nil }

func isServer(int, string) bool { return false }

func serverProcesses(string) []int { return nil }

func memory() uint64 { return 0 }
