package graph

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// restored is a journal that is restored from older and older backups, and goes on; and the server on it.
type restored struct {
	*rapid.T
	*Resolver
	journal *fakeJournal
	clock   int64
}

// commit writes an entry, of which the hub is told or, as of what another process has written, not yet.
func (r *restored) commit(told bool) {
	r.clock++
	e := journal.Entry{
		Project: 1, Offset: int64(len(r.journal.entries)) + 1, At: time.UnixMicro(r.clock), Readings: []reading.Reading{{Series: 1}},
	}
	r.journal.entries = append(r.journal.entries, e)
	if told {
		r.Hub.Apply(e)
	}
}

// start begins anew with what the journal has, some of it packed.
func (r *restored) start() {
	r.Resolver = &Resolver{Hub: live.New(r.journal, live.Config{MaxEntries: 2}), Journal: r.journal, Cursors: NewCursors(nil)}
	begin := journal.Beginning{Project: 1, After: rapid.Int64Range(0, int64(len(r.journal.entries))).Draw(r.T, "packed")}
	begin.At, _ = r.journal.CommittedAt(r.Context(), 1, begin.After)
	r.Hub.Start(begin)
	for _, e := range r.journal.entries[begin.After:] {
		r.Hub.Apply(e)
	}
}

// stream returns one that has not begun.
func (r *restored) stream() *readingStream {
	return &readingStream{Resolver: r.Resolver, ctx: r.Context(), project: 1, past: past{until: int64(len(r.journal.entries))}}
}

// history is when each entry was committed, which none has in common with another.
func (r *restored) history() (history []time.Time) {
	for _, e := range r.journal.entries {
		history = append(history, e.At)
	}
	return history
}

// However often the journal is restored and the server starts anew: whoever goes on after a cursor has had what the journal holds
// before it, all of it and nothing else; and whoever has had that may go on.
func TestCursorGoesOnWhereItsHistoryDoesAndNowhereElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := &restored{T: rt, journal: &fakeJournal{}}
		r.start()
		type given struct {
			cursor *Cursor
			seen   []time.Time
		}
		var cursors []given
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(*rapid.T) { r.commit(true) },
			"start":  func(*rapid.T) { r.start() },
			"restore": func(rt *rapid.T) {
				r.journal.entries = slices.Clone(r.journal.entries[:rapid.IntRange(0, len(r.journal.entries)).Draw(rt, "head")])
				r.start()
			},
			"give": func(rt *rapid.T) {
				offset := rapid.IntRange(0, len(r.journal.entries)).Draw(rt, "offset")
				cursors = append(cursors, given{r.stream().cursorAt(int64(offset)), r.history()[:offset]})
			},
			"go on": func(rt *rapid.T) {
				if len(cursors) == 0 {
					rt.Skip("nobody was given a cursor")
				}
				c := rapid.SampledFrom(cursors).Draw(rt, "cursor")
				s := r.stream()
				err := s.beginAfter(r.Context(), c.cursor)
				defer s.Close()
				same := len(c.seen) <= len(r.history()) && slices.Equal(c.seen, r.history()[:len(c.seen)])
				if same && err != nil || !same && !errors.Is(err, live.ErrReset) {
					rt.Fatalf("who has had %v goes on in %v: %v", c.seen, r.history(), err)
				}
			},
		})
	})
}
