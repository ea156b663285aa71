package journal

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/readout-dev/readout/store"
)

// applied is a view that notes the offsets it gets.
type applied struct{ offsets []int64 }

func (a *applied) Start(Beginning)     {}
func (a *applied) Apply(e Entry)       { a.offsets = append(a.offsets, e.Offset) }
func (a *applied) ForgetProject(int64) {}

// setupReading returns a project whose views have entry 1, while a read of the journal is under way: the first one, or
// one that catches up with others.
func setupReading(t *testing.T, loaded bool) (*project, *catchUp, []View) {
	t.Helper()
	p, views := &project{id: 7}, []View{&applied{}}
	if err := p.start(views, store.JournalState{Head: 1}); err != nil {
		t.Fatal(err)
	}
	p.loaded.Store(loaded)
	run, mine, err := p.join()
	if !mine || err != nil {
		t.Fatalf("join: %v, %v", mine, err)
	}
	if err := p.applyRead(views, Entry{Offset: 1}); err != nil {
		t.Fatal(err)
	}
	return p, run, views
}

// The entry is committed after the reader has seen the end of the journal, and before it says so.
func TestReaderDoesNotEndBeforeWhatWasCommittedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, loaded := range []bool{false, true} {
		p, run, views := setupReading(t, loaded)
		if p.committed(views, Entry{Offset: 2}) {
			t.Error("the flusher is to read what the reader will")
		}
		if got := views[0].(*applied).offsets; len(got) != 1 {
			t.Errorf("the views got %v while somebody reads for them", got)
		}
		if p.end(run, nil) {
			t.Fatal("the reader ended before entry 2")
		}
		if err := p.applyRead(views, Entry{Offset: 2}); err != nil {
			t.Fatal(err)
		}
		if !p.end(run, nil) || !p.current() {
			t.Error("the reader goes on although there is nothing more")
		}
		if run, _, err := p.join(); run != nil || err != nil {
			t.Errorf("a new reader where there is nothing to read: %v", err)
		}
		if p.committed(views, Entry{Offset: 3}) || !p.current() {
			t.Error("the next entry was not applied at once")
		}
	}
}

func TestFailedReadLeavesTheRestToTheNext(t *testing.T) {
	t.Parallel()
	p, run, views := setupReading(t, true)
	p.committed(views, Entry{Offset: 2})
	if !p.end(run, errGone) || p.current() {
		t.Error("a reader that failed did not end, or the views count as current")
	}
	if next, mine, err := p.join(); !mine || next == run || err != nil {
		t.Errorf("join after a failed read: %v, %v", mine, err)
	}
}

func TestSettleWaitsForTheReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, run, views := setupReading(t, true)
		p.committed(views, Entry{Offset: 2})
		var settled sync.WaitGroup
		over := false
		settled.Go(func() {
			p.settle(t.Context())
			if !over {
				t.Error("settled before the reader was done")
			}
		})
		synctest.Wait()
		if err := p.applyRead(views, Entry{Offset: 2}); err != nil {
			t.Error(err)
		}
		synctest.Wait() // the reader may have more: it has not ended
		over = true
		p.end(run, nil)
		settled.Wait()
		p.settle(t.Context()) // nothing to wait for
	})
}

func TestForgottenProjectGetsNothingMore(t *testing.T) {
	t.Parallel()
	p, run, views := setupReading(t, true)
	p.forget(views)
	if err := p.applyRead(views, Entry{Offset: 2}); !errors.Is(err, errGone) {
		t.Errorf("a reader goes on after the project was forgotten: %v", err)
	}
	p.end(run, errGone)
	if p.committed(views, Entry{Offset: 2}) {
		t.Error("the flusher is to mend a project that was forgotten")
	}
	if _, _, err := p.join(); !errors.Is(err, errGone) {
		t.Errorf("a new reader of a forgotten project: %v", err)
	}
	if got := views[0].(*applied).offsets; len(got) != 1 {
		t.Errorf("the views got %v", got)
	}
}
