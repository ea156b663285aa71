package live_test

import (
	"errors"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
)

func (f fixture) expectCommitted(t *testing.T, offset int64, want time.Time) {
	t.Helper()
	if at, err := f.CommittedAt(t.Context(), project, offset); err != nil || !at.Equal(want) {
		t.Errorf("entry %d was committed at %v, %v; want %v", offset, at, err, want)
	}
}

func TestWhenTheHeadAndRecentEntriesWereCommittedIsAskedOfNobody(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 4}, 10)
	for offset := int64(7); offset <= 10; offset++ {
		f.expectCommitted(t, offset, time.UnixMicro(1000*offset))
	}
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("asked %d times for what is in memory", n)
	}
	f.expectCommitted(t, 6, time.UnixMicro(6000))
	f.expectCommitted(t, 11, time.Time{})
	f.journal.commit(1) // by another process
	f.expectCommitted(t, 11, time.UnixMicro(11_000))
	if n := f.journal.readsSoFar(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

// The head stays known when its entry has to make room, and when the hub begins behind it.
func TestHeadIsKnownWithoutItsEntry(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxAllBytes: 1}, 3)
	const another = project + 1
	f.Start(journal.Beginning{Project: another})
	f.Apply(journal.Entry{Project: another, Offset: 1, Readings: f.journal.entries[0].Readings}) // the other ring gives way
	f.expectCommitted(t, 3, time.UnixMicro(3000))
	f.Start(journal.Beginning{Project: project, After: 8, At: time.UnixMicro(8000)})
	f.expectCommitted(t, 8, time.UnixMicro(8000))
	f.Start(journal.Beginning{Project: project, After: 9}) // which the journal does not hold
	f.expectCommitted(t, 9, time.Time{})
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	f.expectCommitted(t, 2, time.UnixMicro(2000))
	if n := f.journal.readsSoFar(); n != 1 {
		t.Errorf("asked %d times for an entry that is not in memory, want 1", n)
	}
}

func TestCommitTimeIsAskedOfTheJournalWhereNoProjectIsFollowed(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 2)
	f.ForgetProject(project)
	f.expectCommitted(t, 2, time.UnixMicro(2000))
	away := fault.New(fault.Unavailable, "away")
	f.journal.fail(away)
	if _, err := f.CommittedAt(t.Context(), project, 2); !errors.Is(err, away) {
		t.Errorf("got %v, want that the journal is away", err)
	}
}
