package journal

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/store"
)

func TestFollowerTellsForHowLongItHasBeenBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := NewFollower(nil)
		p, other := f.obtain(7), f.obtain(8)
		for _, p := range []*project{p, other} {
			if err := p.start(nil, store.JournalState{}); err != nil {
				t.Fatal(err)
			}
			p.loaded.Store(true)
		}
		want := func(age time.Duration) {
			t.Helper()
			if got := f.Behind(); got != age {
				t.Errorf("behind for %v, want %v", got, age)
			}
		}
		p.committed(nil, Entry{Offset: 1})
		want(0)
		p.committed(nil, Entry{Offset: 3}) // another process has written 2
		time.Sleep(2 * time.Second)        // synthetic
		other.learn(1, 0)
		want(2 * time.Second)
		p.committed(nil, Entry{Offset: 4})
		time.Sleep(time.Second)
		want(3 * time.Second)
		for offset := range int64(3) {
			p.mu.Lock()
			p.apply(nil, Entry{Offset: offset + 2})
			p.mu.Unlock()
		}
		want(time.Second) // of the other
		f.Forget(8)
		want(0)
	})
}
