package store

import (
	"math"
	"path/filepath"
	"testing"
)

func TestMemoryIsLimitedByTheContainer(t *testing.T) {
	t.Parallel()
	if memory() < 16<<20 {
		t.Errorf("this machine has %d bytes of memory", memory())
	}
	f := func(content string, want uint64) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "memory.max")
		writeFile(t, file, content)
		if got := containerLimit(file); got != want {
			t.Errorf("%q: %d, want %d", content, got, want)
		}
	}
	f("536870912\n", 512<<20)
	f("max\n", math.MaxUint64)
	if got := containerLimit("/nonexistent"); got != math.MaxUint64 {
		t.Errorf("without a file: %d", got)
	}
}
