package store

import (
	"fmt"
	"os"
	"sync"
)

// serverLog writes a server's output to a file that it turns over by size, keeping one older file (name + ".1"), and
// remembers the last lines. It never fails a write: a full disk must not stop the server that waits for its log.
type serverLog struct {
	path  string
	limit int64 // bytes of a file

	mu   sync.Mutex
	file *os.File // nil once closed, or when it could not be opened again
	size int64
	tail []byte
}

const tailBytes = 4096

func openServerLog(path string) (*serverLog, error) {
	l := &serverLog{path: path, limit: 10 << 20}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return l, nil
}

func (l *serverLog) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write always takes all of p.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, p...)
	if over := len(l.tail) - tailBytes; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	if l.file != nil && l.size >= l.limit {
		l.turn()
	}
	if l.file != nil {
		n, _ := l.file.Write(p)
		l.size += int64(n)
	}
	return len(p), nil
}

func (l *serverLog) turn() {
	_ = l.file.Close()
	l.file = nil
	_ = os.Rename(l.path, l.path+".1")
	_ = l.open()
}

// Tail returns the last lines.
func (l *serverLog) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return lastLines(string(l.tail))
}

// Close closes the file; later writes are only remembered.
func (l *serverLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
