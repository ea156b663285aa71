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

// taker takes readings, in the order of time, which are valid during the call and only read. It is called by one goroutine.
type taker func(rs []reading.Reading)

// fold hands all readings of one series in a range to takers, in pieces that are in no order. It holds the keys of the range's
// rows, a few payloads, a decoded row for each taker, and those readings that have to be merged with others. It is used once.
type fold struct {
	reader *Reader
	q      query // of one series
	// start is called before any taker, unless there are no readings: with the times of the first and the last. Each of the
	// takers, of which there is at least one, has a goroutine of its own.
	start func(first, last int64) []taker

	few    float64 // up to so many likely readings are read as one piece
	ended  bool    // the readings at q.from and at q.to-1 are known to be the first and the last
	offset int64   // all entries of the journal up to it are in what was folded
}

// errEnds says that the first or the last reading has to be looked for.
var errEnds = errors.New("the ends are not known")

func (f *fold) run(ctx context.Context) error {
	defer f.reader.metrics.observe(time.Now())
	once := func() error { return f.once(ctx) }
	err := f.reader.abreast(ctx, f.q.project, once)
	if err == errEnds { //nolint:errorlint // it is never wrapped
		f.ended = true
		err = f.reader.abreast(ctx, f.q.project, once)
	}
	if err == errTooMany { //nolint:errorlint // it is never wrapped
		err = fault.New(fault.TooLarge, "more than %d readings have to be merged: ask for less at once", f.q.max)
	}
	return err
}

// once folds unless the tail is behind, or ends are not known: then it has found them, and q is what lies between them.
func (f *fold) once(ctx context.Context) error {
	s, err := f.look(ctx)
	if err == errEnds { //nolint:errorlint // it is never wrapped
		// The connection and the turn are given back: to look for the ends takes others.
		if err = f.findEnds(ctx, s); err == nil && f.q.from < f.q.to {
			err = errEnds
		}
	}
	return err
}

// look takes a snapshot and folds it.
func (f *fold) look(ctx context.Context) (s *sight, err error) {
	if f.q.from >= f.q.to {
		return nil, nil
	}
	done, err := f.reader.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	s, err = f.reader.see(ctx, f.q)
	if err != nil {
		return nil, err
	}
	defer s.packed.Close(ctx)
	if !f.ended { // else q ends where the first look saw the last reading: what came since may lie behind it
		f.offset = s.held.Offset
	}
	if s.likely() <= f.few {
		return s, f.whole(ctx, s)
	}
	first, last, known := s.ends()
	if f.ended {
		first, last, known = f.q.from, f.q.to-1, true
	}
	if !known {
		return s, errEnds
	}
	return s, f.stream(ctx, s, f.start(first, last))
}

// whole folds all readings as one piece.
func (f *fold) whole(ctx context.Context, s *sight) error {
	room := f.reader.takeRoom()
	defer f.reader.leaveRoom(room)
	found, err := f.reader.merge(ctx, f.q, s.held, s.packed, room)
	if err != nil {
		return err
	}
	if rs := found.series[0]; len(rs) > 0 {
		f.start(rs[0].Time, rs[len(rs)-1].Time)[0](rs)
	}
	return nil
}

// sight is what one look finds of a query of one series: the tail, and the rows without their readings.
type sight struct {
	q      query
	held   tail.Snapshot
	packed *store.Packed
	loud   spans // what is not settled: see quiet
}

// see looks; the caller closes packed. It fails with errBehind as once does.
func (r *Reader) see(ctx context.Context, q query) (*sight, error) {
	held := r.tail.Snapshot(q.project, q.series, q.from, q.to) // first, see once
	packed, err := store.FindPacked(ctx, r.pool, store.Wanted{
		Project: q.project, Series: q.series, From: q.from, To: q.to, MaxChunks: maxRows + 1, MaxRows: maxRows + 1,
	})
	if err != nil {
		return nil, store.Fault(err)
	}
	switch {
	case packed.To > held.Offset:
		err = errBehind
	case len(packed.Chunks) > maxRows || len(packed.Young) > maxRows:
		err = fault.New(fault.TooLarge, "this is in more than %d pieces: ask for a shorter range", maxRows)
	}
	if err != nil {
		packed.Close(ctx)
		return nil, err
	}
	return &sight{q: q, held: held, packed: packed, loud: loudSpans(held, packed)}, nil
}

// likely returns about how many readings there are.
func (s *sight) likely() (n float64) {
	for _, p := range s.q.pieces(s.packed, s.held) {
		n += p.within(s.q.from, s.q.to)
	}
	return n
}
