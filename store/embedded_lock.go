package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// dirLock keeps every other Readout off a data folder. The kernel gives it free when the process ends, however it ends,
// so the file is never removed: removing it could give two processes a lock each.
type dirLock struct{ file *os.File }

// lockDir locks the data folder, without waiting. Fault: Conflict, naming the process that has it.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "readout.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid,
			"the data folder %s cannot be written by this user; pass another one with --data-dir", dir)
	}
	ok, err := tryLock(f)
	if err == nil && ok {
		err = writePID(f)
	}
	if err == nil && ok {
		return &dirLock{f}, nil
	}
	defer f.Close()
	if err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Conflict,
		"the data folder %s is in use by another Readout (%s); stop that one, or pass another folder with --data-dir",
		dir, holder(f))
}

func (l *dirLock) release() error {
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("give the data folder free: %w", err)
	}
	return nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "a process that is just starting"
}
