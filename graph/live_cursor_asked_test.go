package graph

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
)

// inquiries counts how often the journal is asked when an entry was committed.
type inquiries struct {
	fakeJournal
	times int
	err   error
}

func (j *inquiries) CommittedAt(ctx context.Context, project, offset int64) (time.Time, error) {
	j.times++
	at, err := j.fakeJournal.CommittedAt(ctx, project, offset)
	return at, errors.Join(err, j.err)
}

func TestCursorOfOnePlaceIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	j := &inquiries{}
	r := &Resolver{Hub: live.New(j, live.Config{MaxEntries: 2}), Cursors: NewCursors(nil)}
	committed := func(offset int64) time.Time { return time.UnixMicro(1000 * offset) }
	for offset := int64(1); offset <= 9; offset++ {
		j.entries = append(j.entries, journal.Entry{Project: 1, Offset: offset, At: committed(offset)})
	}
	r.Hub.Start(journal.Beginning{Project: 1, After: 6, At: committed(6)})
	s := &readingStream{Resolver: r, ctx: t.Context(), project: 1}
	f := func(offset, want int64, times int) {
		t.Helper()
		for range 3 {
			if got, err := s.openCursor(s.cursorAt(offset)); err != nil || got != (stamp{offset, want}) {
				t.Errorf("got %+v, %v, want offset %d and %d", got, err, offset, want)
			}
		}
		if j.times != times {
			t.Errorf("offset %d: asked %d times in all, want %d", offset, j.times, times)
		}
	}
	f(0, 0, 0)
	f(6, 6000, 0) // the head, though its entry is packed
	for _, e := range j.entries[6:] {
		r.Hub.Apply(e)
	}
	f(9, 9000, 0)
	f(8, 8000, 0)
	f(3, 3000, 1)
	j.err = errors.New("away")
	f(4, 0, 4)
	j.err = nil
	f(4, 4000, 5)
	j.entries = nil
	f(2, 0, 6)
}
