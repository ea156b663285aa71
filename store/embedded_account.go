package store

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/readout-dev/readout/internal/fault"
)

// account is the user that the server runs as.
type account struct {
	name     string
	uid, gid uint32
	differs  bool // from the user of this process: files must be given to it
}

// checkEnter refuses a path (without symlinks) that the account cannot reach because it may not enter it or one of its
// parents: PostgreSQL's own words for that name the wrong file. remedy says what to do. Fault: Invalid.
func checkEnter(path string, user account, remedy string) error {
	if !user.differs {
		return nil
	}
	closed, err := firstClosed(path, user)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "%s cannot be used; %s", path, remedy)
	}
	if closed != "" {
		return fault.New(fault.Invalid, "%s cannot be used: PostgreSQL does not run as root, so it runs as the user %s, "+
			"who cannot enter %s; %s, or run Readout as an ordinary user", path, user.name, closed, remedy)
	}
	return nil
}

// firstClosed returns the first folder on the way from the root to path that the account may not enter; "" for none.
func firstClosed(path string, user account) (string, error) {
	if parent := filepath.Dir(path); parent != path {
		if closed, err := firstClosed(parent, user); closed != "" || err != nil {
			return closed, err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !mayEnter(info, user) {
		return path, nil
	}
	return "", nil
}

// mayEnter judges by the mode bits alone, for the one group that the server's process has.
func mayEnter(info fs.FileInfo, user account) bool {
	uid, gid := ownerOf(info)
	switch mode := info.Mode().Perm(); {
	case uid == user.uid:
		return mode&0o100 != 0
	case gid == user.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// giveTo makes path the account's own, for its eyes only.
func giveTo(path string, user account) error {
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	if !user.differs {
		return nil
	}
	return os.Chown(path, int(user.uid), int(user.gid))
}
