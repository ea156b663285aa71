//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/readout-dev/readout/internal/fault"
)

// Signals of the postmaster: https://www.postgresql.org/docs/current/server-shutdown.html
const (
	sigFast      = syscall.SIGINT  // disconnect everybody, checkpoint, end
	sigImmediate = syscall.SIGQUIT // end at once, recover at the next start
)

// serverUser returns this process's user, or for root, as whom PostgreSQL refuses to run, postgres or else nobody.
func serverUser() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		// Some systems write nobody's id as -2.
		uid, err1 := strconv.ParseInt(u.Uid, 10, 64)
		gid, err2 := strconv.ParseInt(u.Gid, 10, 64)
		if err1 == nil && err2 == nil {
			return account{name: name, uid: uint32(uid), gid: uint32(gid), differs: true}, nil
		}
	}
	return account{}, fault.New(fault.Invalid,
		"PostgreSQL does not run as root and this system has neither a user postgres nor nobody; run Readout as an ordinary user")
}

func ownerOf(info fs.FileInfo) (uid, gid uint32) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Uid, st.Gid
}

// childAttr makes a child of the given user in a process group of its own, so that a Ctrl-C in the terminal reaches
// Readout first. The child keeps none of root's further groups.
func childAttr(user account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if user.differs {
		attr.Credential = &syscall.Credential{Uid: user.uid, Gid: user.gid}
	}
	dieWithParent(attr)
	return attr
}

// tryLock takes the lock of the open file, which the kernel gives free when the process ends; false when another has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return true, nil
}

func signalPID(pid int, sig os.Signal) error {
	if s, ok := sig.(syscall.Signal); ok && pid > 1 {
		return syscall.Kill(pid, s)
	}
	return nil
}
