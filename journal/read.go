package journal

import (
	"context"
	"fmt"

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

// page reads and decodes a stretch of a journal.
func (r *Reader) page(ctx context.Context, project, after int64, maxEntries, maxBytes int) ([]Entry, error) {
	stored, err := store.ReadEntries(ctx, r.pool, project, after, maxEntries, maxBytes)
	if err != nil {
		return nil, store.Fault(err)
	}
	entries := make([]Entry, len(stored))
	for i, s := range stored {
		if want := stored[0].Offset + int64(i); s.Offset != want {
			return nil, missing(project, want)
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
		head, packedTo, err := store.Head(ctx, f.reader.pool, p.id)
		if err != nil {
			return store.Fault(err)
		}
		if err := p.start(f.views, head, packedTo); err != nil {
			return err
		}
	}
	for p.applied.Load() < p.known.Load() {
		after := p.applied.Load()
		entries, err := f.reader.page(ctx, p.id, after, pageEntries, pageBytes)
		if err != nil {
			return err
		}
		if len(entries) == 0 || entries[0].Offset != after+1 {
			return p.hole(ctx, f, after+1)
		}
		for _, e := range entries {
			if err := p.applyRead(f.views, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// start tells the views where the project's entries begin.
func (p *project) start(views []View, head, packedTo int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return errGone
	}
	for _, v := range views {
		v.Start(p.id, packedTo)
	}
	p.applied.Store(packedTo)
	p.known.Store(max(p.known.Load(), head))
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

// hole says why the journal does not hold an entry that was committed.
func (p *project) hole(ctx context.Context, f *Follower, offset int64) error {
	head, _, err := store.Head(ctx, f.reader.pool, p.id)
	if err != nil {
		return store.Fault(err)
	}
	if head < offset {
		return errGone // the project was deleted, and its journal with it
	}
	return missing(p.id, offset)
}

func missing(project, offset int64) error {
	return fmt.Errorf("read the journal of project %d: entry %d is missing", project, offset)
}
