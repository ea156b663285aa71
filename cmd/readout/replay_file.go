package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// replayFile is what is replayed, without a byte order mark.
type replayFile struct {
	io.Reader
	close func() error

	path     string // absolute; "" for the standard input and what else cannot be read twice
	size     int64  // in bytes; 0 when nobody knows
	modified time.Time
}

// Close closes the file; the standard input stays open.
func (f *replayFile) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

func openReplayFile(name string, stdin io.Reader) (*replayFile, error) {
	f := &replayFile{Reader: stdin}
	if name != "-" {
		if err := f.open(name); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "cannot read %s", name)
		}
	}
	if err := f.skipMark(name); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (f *replayFile) open(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return err
	}
	f.Reader, f.close = file, file.Close
	if !info.Mode().IsRegular() {
		return nil // a pipe by its name, or a folder, which will not be read
	}
	f.size, f.modified = info.Size(), info.ModTime()
	f.path, err = filepath.Abs(name)
	return err
}

// skipMark skips a byte order mark and refuses UTF-16.
func (f *replayFile) skipMark(name string) error {
	r := bufio.NewReaderSize(f.Reader, 64<<10)
	f.Reader = r
	start, err := r.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fault.Wrap(err, fault.Invalid, "cannot read %s", name)
	case bytes.Equal(start, []byte("\xef\xbb\xbf")):
		_, _ = r.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return fault.New(fault.Invalid, "%s is UTF-16: save it as UTF-8", name)
	}
	return nil
}
