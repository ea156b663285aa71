package history

import (
	"context"
	"errors"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// query is what to read: of series (ascending, distinct) the readings with from <= time < to.
type query struct {
	project  int64
	series   []int64
	from, to int64
	want     int // end where about so many readings are found; 0 = all
	max      int // more than so many are errTooMany
}

// stretch is what was read: all readings with from <= time < to, oldest first, as they were at offset.
type stretch struct {
	offset   int64
	from, to int64
	series   [][]reading.Reading // as in the query
	count    int
	held     [][]reading.Reading // what the tail had of each, also behind to
}

// fresh returns how many of the readings come from the tail.
func (s *stretch) fresh() (n int) {
	for _, rs := range s.held {
		if len(rs) > 0 {
			n += len(between(rs, s.from, s.to))
		}
	}
	return n
}

// errTooMany says that a query finds more readings than its max.
var errTooMany = errors.New("too many readings")

// attempts is how often a read begins again because the packer went past the tail. Each time the tail catches up with
// the database, so a second time is rare already.
const attempts = 10

// read reads q, or the beginning of it when q wants less than all: then at least one µs of it. What it returns lies in
// room, mostly.
func (r *Reader) read(ctx context.Context, q query, room *room) (stretch, error) {
	defer r.metrics.observe(time.Now())
	var found stretch
	err := r.abreast(ctx, q.project, func() (err error) {
		found, err = r.once(ctx, q, room)
		return err
	})
	return found, err
}

// abreast calls once, which returns errBehind when it cannot begin, until the tail of the project is abreast of what is
// packed. It returns once's error as it is.
func (r *Reader) abreast(ctx context.Context, project int64, once func() error) error {
	for range attempts {
		if err := r.follower.Follow(ctx, project); err != nil {
			return err
		}
		if err := once(); err != errBehind { //nolint:errorlint // it is never wrapped
			return err
		}
		if err := r.follower.CatchUp(ctx, project); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "this project changes faster than it can be read: try again").After(time.Second)
}

// errBehind says that what is packed is newer than the tail.
var errBehind = errors.New("the tail is behind what is packed")

// once reads q unless the tail is behind. First the tail, then what is packed: what the tail drops in between is packed.
func (r *Reader) once(ctx context.Context, q query, room *room) (stretch, error) {
	if q.from >= q.to || len(q.series) == 0 {
		held := r.tail.Snapshot(q.project, q.series, q.from, q.from)
		return stretch{offset: held.Offset, from: q.from, to: q.to, series: held.Readings}, nil
	}
	done, err := r.turn(ctx) // first: the tail would be old after it
	if err != nil {
		return stretch{}, err
	}
	defer done()
	to := r.tailEnd(q)
	held := r.tail.Snapshot(q.project, q.series, q.from, to)
	packed, err := store.FindPacked(ctx, r.pool, store.Wanted{
		Project: q.project, Series: q.series, From: q.from, To: to, MaxChunks: q.maxChunks(), MaxYoung: q.maxYoung(), MaxRows: maxRows + 1,
	})
	if err != nil {
		return stretch{}, store.Fault(err)
	}
	defer packed.Close(ctx)
	if packed.To > held.Offset {
		return stretch{}, errBehind
	}
	if len(packed.Chunks) > maxRows || len(packed.Young) > maxRows {
		return stretch{}, fault.New(fault.TooLarge, "this is in more than %d pieces: ask for fewer series or a shorter range", maxRows)
	}
	q.to = to
	q.to = q.end(packed, held)
	return r.merge(ctx, q, held, packed, room)
}

// merge makes one of what is packed and the tail.
func (r *Reader) merge(ctx context.Context, q query, held tail.Snapshot, packed *store.Packed, room *room) (stretch, error) {
	if len(held.Deletions) == 0 && q.wholly(packed.Chunks) > q.max {
		return stretch{}, errTooMany // before anything is decoded
	}
	m := newMerger(q, held, packed, room)
	if err := r.load(ctx, m); err != nil {
		return stretch{}, err
	}
	found, err := m.finish()
	if err != nil {
		return stretch{}, err
	}
	if q.want > 0 {
		found.cut(q.want)
	}
	r.metrics.readings.Add(float64(found.count))
	return found, nil
}

// load gives m the packed rows that it needs: from the cache, or decoded.
func (r *Reader) load(ctx context.Context, m *merger) error {
	chunks, young, missing := r.lookUp(m)
	m.keep = func(name, []reading.Reading) {}
	if r.cache.takes(missing) {
		m.keep = r.cache.add
	}
	r.metrics.rows.Add(float64(len(chunks) + len(young)))
	var failed error // what m says comes back as it is; what the database says is to be translated
	err := m.packed.Read(ctx,
		chunks, func(i int, payload []byte) error { failed = m.decodeChunk(i, payload); return failed },
		young, func(i int, payload []byte) error { failed = m.decodeYoung(i, payload); return failed },
	)
	if failed != nil {
		return failed
	}
	return store.Fault(err)
}

// lookUp gives m what the cache holds of the rows that it needs, and returns the places of the others and how many
// readings those have.
func (r *Reader) lookUp(m *merger) (chunks, young []int, missing int) {
	for i, k := range m.packed.Chunks {
		if k.Last < m.q.from || k.First >= m.q.to {
			continue
		}
		if rs, ok := r.cache.get(chunkName(m.q.project, k)); ok {
			m.chunks[i] = rs
			continue
		}
		chunks, missing = append(chunks, i), missing+k.Count
	}
	for i, k := range m.packed.Young {
		if k.Last < m.q.from || k.First >= m.q.to || len(m.wanted(k)) == 0 {
			continue
		}
		if rs, ok := r.cache.get(youngName(m.q.project, k)); ok {
			m.young[i] = rs
			continue
		}
		young, missing = append(young, i), missing+k.Count
	}
	return chunks, young, missing
}
