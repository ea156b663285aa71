package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/readout-dev/readout/internal/fault"
)

// DefaultDir returns the data folder for a user who names none: /var/lib/readout for root on Linux, else where the system keeps
// a user's data. getenv looks up environment variables, like os.Getenv.
func DefaultDir(getenv func(string) string) (string, error) {
	return defaultDir(runtime.GOOS, os.Geteuid() == 0, getenv)
}

func defaultDir(system string, root bool, getenv func(string) string) (string, error) {
	under := func(variable string, path ...string) (string, error) {
		base := getenv(variable)
		if !filepath.IsAbs(base) {
			return "", errors.New("find the user's data folder: " + variable + " is not set to a full path")
		}
		return filepath.Join(append([]string{base}, path...)...), nil
	}
	switch {
	case system == "windows":
		return under("LocalAppData", "Readout")
	case root && system == "linux":
		return "/var/lib/readout", nil
	case system == "darwin":
		return under("HOME", "Library", "Application Support", "Readout")
	}
	if dir, err := under("XDG_DATA_HOME", "readout"); err == nil {
		return dir, nil
	}
	return under("HOME", ".local", "share", "readout")
}

// makeDataDir makes the data folder, checks that the server's user can reach what will be in it, and returns its one
// path without symlinks: the server's user might not be able to follow them.
func makeDataDir(dir string, user account) (string, error) {
	refuse := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "the data folder %s cannot be made; pass another one with --data-dir", dir)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return "", refuse(err)
		}
		// The server's user must get through to its cluster; everybody else has no business here.
		mode := os.FileMode(0o700)
		if user.differs {
			mode = 0o711
		}
		if err := os.Chmod(dir, mode); err != nil {
			return "", refuse(err)
		}
	}
	real, err := realPath(dir)
	if err != nil {
		return "", refuse(err)
	}
	return real, checkEnter(real, user, "pass another --data-dir")
}

func realPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
