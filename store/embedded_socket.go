package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/readout-dev/readout/internal/fault"
)

// maxSocketDir is the longest folder whose socket a path of 103 bytes names; that fits macOS' sun_path as well.
const maxSocketDir = 103 - len("/.s.PGSQL.5432")

// makeSocketDir returns the folder of the server's socket, which only the server's user and root may enter: that is the
// whole access control of the embedded server. It is dir/run or, where that is too long for a socket, a folder under
// /tmp named after dir. Others find it through the server's postmaster.pid.
func makeSocketDir(dir string, user account) (string, error) {
	sockets := filepath.Join(dir, "run")
	if len(sockets) > maxSocketDir {
		base := filepath.Join("/tmp", "readout-"+strconv.Itoa(os.Geteuid()))
		if err := makeShared(base); err != nil {
			return "", err
		}
		sum := sha256.Sum256([]byte(dir))
		sockets = filepath.Join(base, hex.EncodeToString(sum[:8]))
	}
	if err := os.Mkdir(sockets, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the socket folder: %w", err)
	}
	if err := checkPlainDir(sockets); err != nil {
		return "", err
	}
	if err := giveTo(sockets, user); err != nil {
		return "", fmt.Errorf("protect the socket folder: %w", err)
	}
	return sockets, nil
}

// makeShared makes our folder in a place where everybody may make one, and refuses one that somebody else made or may
// write to.
func makeShared(base string) error {
	if err := os.Mkdir(base, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the socket folder: %w", err)
	}
	info, err := os.Lstat(base)
	if err != nil {
		return fmt.Errorf("make the socket folder: %w", err)
	}
	uid, _ := ownerOf(info)
	if !info.IsDir() || uid != uint32(os.Geteuid()) || info.Mode().Perm()&0o022 != 0 {
		return fault.New(fault.Invalid,
			"%s does not belong to this user alone; remove it, or pass a --data-dir with a shorter path", base)
	}
	return nil
}

func checkPlainDir(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("make the socket folder: %w", err)
	}
	if !info.IsDir() {
		return fault.New(fault.Invalid, "%s is in the way: the database's socket needs a folder of that name", path)
	}
	return nil
}

func socketURL(sockets, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(embeddedName), Path: "/" + database}
	u.RawQuery = url.Values{"host": {sockets}, "port": {"5432"}}.Encode()
	return u.String()
}
