package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// Not parallel: it is about the memory of the whole process.
func TestRoomIsWhatACollectionGivesBack(t *testing.T) {
	func() {
		var held [][]byte
		for range 64 {
			held = append(held, make([]byte, 1<<20))
		}
		runtime.GC()
		if m := newMemory(); m.live < 64<<20 {
			t.Fatalf("%d bytes live while 64 MiB are held", m.live)
		}
		runtime.KeepAlive(held)
	}()
	runtime.GC()
	if m := newMemory(); m.room() < 48<<20 {
		t.Errorf("room for %d bytes after 64 MiB were let go, want nearly all", m.room())
	}
	debug.FreeOSMemory()
	if m := newMemory(); m.room() > worthIt {
		t.Errorf("room for %d bytes after all was given back", m.room())
	}
}
