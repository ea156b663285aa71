package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// How much of a journal is read at once: for the views, and for one subscriber, who keeps what he has not sent yet.
const (
	pageEntries = 256
	pageBytes   = 1 << 20 // of payload
	readBytes   = 64 << 10
)

// Reader reads journals from the database, for whoever goes on from an offset of his own. Safe for concurrent use.
type Reader struct{ pool *pgxpool.Pool }

// NewReader returns a Reader of the journals in the database of pool.
func NewReader(pool *pgxpool.Pool) *Reader { return &Reader{pool} }

// Read returns entries of project's journal behind the offset after, in order and without holes between them: limit at
// most, and no more than some 64 kB of stored payload, but always one if there is one. The first is not the one after
// after when that is not in the journal any more. It asks the database, not the views. Faults: Unavailable when the
// database is away; an entry that cannot be decoded is an error that names it.
func (r *Reader) Read(ctx context.Context, project, after int64, limit int) ([]Entry, error) {
	return r.page(ctx, project, after, limit, readBytes)
}

// CommittedAt returns when the entry at an offset of project's journal was written, which is its Entry.At; zero when the
// journal does not hold it, any more or yet. It asks the database, once. Faults: Unavailable when that is away.
func (r *Reader) CommittedAt(ctx context.Context, project, offset int64) (time.Time, error) {
	at, err := store.CommittedAt(ctx, r.pool, project, offset)
	if err != nil {
		return time.Time{}, store.Fault(err)
	}
	return at, nil
}

// page reads and decodes a stretch of a journal.
func (r *Reader) page(ctx context.Context, project, after int64, maxEntries, maxBytes int) ([]Entry, error) {
	stored, err := store.ReadEntries(ctx, r.pool, project, after, maxEntries, maxBytes)
	if err != nil {
		return nil, store.Fault(err)
	}
	entries := make([]Entry, len(stored))
	for i, s := range stored {
		if want := stored[0].Offset + int64(i); s.Offset != want {
			return nil, &missingEntry{project, want}
		}
		if entries[i], err = decode(project, s); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// read brings the views from what they have to what is known to be committed; the first time it finds out where that is.
// It runs in one goroutine at a time.
func (p *project) read(ctx context.Context, f *Follower) error {
	if !p.started.Load() {
		state, err := store.BeginJournal(ctx, f.reader.pool, p.id)
		if err != nil {
			return store.Fault(err)
		}
		if err := p.start(f.views, state); err != nil {
			return err
		}
	}
	for p.applied.Load() < p.known.Load() {
		err := p.readOn(ctx, f)
		if hole := (*missingEntry)(nil); errors.As(err, &hole) {
			err = p.restart(ctx, f, hole)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readOn hands the journal to the views, up to what is known to be committed. While they take a page the next one is read
// and decoded.
func (p *project) readOn(ctx context.Context, f *Follower) error {
	next := f.reader.ahead(ctx, p.id, p.applied.Load())
	for next != nil {
		after, read := p.applied.Load(), <-next
		if read.err != nil {
			return read.err
		}
		if len(read.entries) == 0 || read.entries[0].Offset != after+1 {
			return &missingEntry{p.id, after + 1}
		}
		next = nil
		if last := after + int64(len(read.entries)); last < p.known.Load() {
			next = f.reader.ahead(ctx, p.id, last)
		}
		for _, e := range read.entries {
			if err := p.applyRead(f.views, e); err != nil {
				if next != nil {
					<-next
				}
				return err
			}
		}
	}
	return nil
}

// page is a stretch of a journal, or why there is none.
type page struct {
	entries []Entry
	err     error
}

// ahead reads a page for the views; it comes through the channel.
func (r *Reader) ahead(ctx context.Context, project, after int64) <-chan page {
	pages := make(chan page, 1)
	go func() {
		entries, err := r.page(ctx, project, after, pageEntries, pageBytes)
		pages <- page{entries, err}
	}()
	return pages
}

// start tells the views where the project's entries begin.
func (p *project) start(views []View, state store.JournalState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return errGone
	}
	for _, v := range views {
		v.Start(Beginning{Project: p.id, After: state.PackedTo, At: state.PackedAt, Latest: state.Latest})
	}
	p.applied.Store(state.PackedTo)
	p.packed.Store(max(p.packed.Load(), state.PackedTo))
	p.trimmed.Store(state.PackedTo)
	p.known.Store(max(p.known.Load(), state.Head))
	p.started.Store(true)
	return nil
}

// applyRead applies an entry from the journal, unless the project was forgotten meanwhile.
func (p *project) applyRead(views []View, e Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return errGone
	}
	p.apply(views, e)
	return nil
}

// restart begins anew where the journal does not hold an entry any more because it is packed, which happens to views
// that fell far behind. Any other hole is an error.
func (p *project) restart(ctx context.Context, f *Follower, hole *missingEntry) error {
	state, err := store.BeginJournal(ctx, f.reader.pool, p.id)
	switch {
	case err != nil:
		return store.Fault(err)
	case state.Head < hole.offset:
		return errGone // the project was deleted, and its journal with it
	case state.PackedTo < hole.offset:
		return hole
	}
	return p.start(f.views, state)
}

// missingEntry is the error of a journal that does not hold an entry which was committed.
type missingEntry struct{ project, offset int64 }

func (e *missingEntry) Error() string {
	return fmt.Sprintf("read the journal of project %d: entry %d is missing", e.project, e.offset)
}
