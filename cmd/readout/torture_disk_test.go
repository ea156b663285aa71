//go:build linux

package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestFullDiskLosesNothing fills the file system of the database under the gateways' hands, and makes room again.
func TestFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "192m")
	o := newOutage(t, disk, map[string]string{"shared_buffers": "32MB", "min_wal_size": "32MB", "max_wal_size": "32MB"})
	finish := sending(t, o.all)
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast, 128<<10)
	o.allRefused()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	select {
	case <-o.database.Done(): // no room for its log ends PostgreSQL: a supervisor starts it again
		t.Log("PostgreSQL ended by itself")
		o.stopDatabase()
		o.startDatabase()
	case <-time.After(time.Second):
	}
	o.resumed(finish)
}

// smallDisk mounts a file system of a size in memory.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := dataDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("a small disk can only be mounted by root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
	return dir
}

// fill writes a file until its file system is full, and then gives a little back.
func fill(t *testing.T, file string, back int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written, piece := int64(0), make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = f.Write(piece)
		written += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, written-back)); err != nil {
		t.Fatal(err)
	}
}
