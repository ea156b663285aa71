package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServerLogTurnsOverBySizeAndKeepsOneOlderFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postgres.log")
	for round := range 2 { // the second round continues the first one's file
		l, err := openServerLog(path)
		if err != nil {
			t.Fatal(err)
		}
		l.limit = 100
		for range 10 {
			if n, err := l.Write([]byte(strings.Repeat("x", 29) + "\n")); n != 30 || err != nil {
				t.Fatalf("write: %d, %v", n, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for name, most := range map[string]int64{path: 120, path + ".1": 120} {
			info, err := os.Stat(name)
			if err != nil || info.Size() > most || info.Mode().Perm() != 0o600 {
				t.Errorf("round %d: %s: %v, %v; want at most %d bytes", round, name, info, err, most)
			}
		}
	}
}

func TestServerLogNeverFailsAndRemembersTheLastLines(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sub")
	writeFile(t, filepath.Join(dir, "x"), "")
	l, err := openServerLog(filepath.Join(dir, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	l.limit = 1
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if n, err := l.Write([]byte("an earlier line\n")); n != 16 || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	if _, err := l.Write([]byte("FATAL:  the last line\n")); err != nil {
		t.Fatal(err)
	}
	tail := l.Tail()
	if !strings.HasSuffix(tail, "FATAL:  the last line") || !strings.HasPrefix(tail, "an earlier line\n") || len(tail) > tailBytes {
		t.Errorf("the tail of %d bytes is %q", len(tail), tail)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
