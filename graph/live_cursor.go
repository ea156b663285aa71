package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// stamp is an entry of a project's journal as a cursor names it. The offset alone would not do: when the database was restored
// from a backup, or has failed over to one that lacked the last commits, the journal goes on with other entries at offsets
// that were given out before.
type stamp struct {
	offset int64
	at     int64 // when it was committed (µs); 0: not known, as of an entry that the journal does not hold any more
}

func stampOf(offset int64, at time.Time) stamp {
	if at.IsZero() {
		return stamp{offset: offset}
	}
	return stamp{offset, at.UnixMicro()}
}

// cursorAt returns the cursor of an offset. That it cannot be found out when the entry was committed is no reason to send
// nothing: the cursor is as good as its offset then.
func (s *readingStream) cursorAt(offset int64) *Cursor {
	if s.last.offset != offset {
		at, err := s.Hub.CommittedAt(s.ctx, s.project, offset)
		if err != nil {
			return s.Cursors.sign(inJournal, s.project, offset, 0)
		}
		s.last = stampOf(offset, at)
	}
	return s.Cursors.sign(inJournal, s.project, offset, s.last.at)
}

// openCursor returns what a cursor of the project's journal names; any other is a fault Invalid.
func (s *readingStream) openCursor(cursor *Cursor) (at stamp, err error) {
	if err := s.Cursors.openInto(inJournal, cursor, &at.offset, &at.at); err != nil {
		return stamp{}, err
	}
	if cursor.ID != s.project {
		return stamp{}, fault.New(fault.Invalid, "this cursor is of another project")
	}
	return at, nil
}

// recognise returns live.ErrReset when the journal holds another entry than the one that a cursor names. One that it does not
// hold, or that the cursor knows too little of, it does not judge.
func (s *readingStream) recognise(ctx context.Context, named stamp) error {
	if named.at == 0 {
		return nil
	}
	at, err := s.Hub.CommittedAt(ctx, s.project, named.offset)
	if err != nil {
		return err
	}
	if held := stampOf(named.offset, at); held.at != 0 && held != named {
		return live.ErrReset
	}
	s.last = named
	return nil
}
