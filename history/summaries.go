package history

import (
	"context"
	"time"

	"github.com/readout-dev/readout/store"
)

// Unit is the rollup of a series on a UTC day or in a UTC hour. It is valid during the call that gives it.
type Unit struct {
	store.Rollup
	Place  int   // of its series in the query
	Length int64 // of the hour or day that begins at Start, µs
	// Coarse says that the readings have gone by age, and that the unit stands for them though a bound cuts it or it lacks the
	// sketch or the line that was asked for. Its middle lies in the range.
	Coarse bool
}

// SummaryQuery says what is to be answered by rollups: of series of one project the readings between the first bound and
// the last.
type SummaryQuery struct {
	Project int64
	Series  []int64 // ascending, distinct
	// Bounds are times (µs), ascending: no unit reaches over one of them. The first is the beginning of the range, the last
	// its end.
	Bounds   []int64
	GoneOnly bool // rollups answer only for days whose readings have gone by age
	Sketches bool // units must have a sketch
	Lines    bool // units must have an area and an increase
	Plain    bool // summaries may be plain: see stats.Need
}

// Part is a stretch of time, From <= time < To (µs), of some series (ascending).
type Part struct {
	From, To int64
	Series   []int64
}

// Summaries answers as much of q by rollups as rollups can say exactly, and returns the rest: the parts of which the caller
// has to read the readings, by Spans. Every reading in the range is in one unit or in one part and never in two; a part
// holds also what has come since.
//
// A UTC day that no bound cuts is one unit; of others the UTC hours that no bound cuts are, if each of their readings is in
// the rollup of an hour. But whatever has changed since it was rolled up is left, and so is today. Days
// whose readings have gone by age, while their rollups are kept longer, are never left: see Unit.Coarse.
//
// Take is called with the units, in no particular order, while a connection to the database is held. Summaries ends with
// its first error, as it is. The parts are in the order of time, and do not overlap for any series.
func (r *Reader) Summaries(ctx context.Context, q SummaryQuery, take func(u *Unit) error) (left []Part, err error) {
	if len(q.Series) == 0 || len(q.Bounds) < 2 || q.Bounds[0] >= q.Bounds[len(q.Bounds)-1] {
		return nil, nil
	}
	defer r.metrics.observe(time.Now())
	today := floor(r.now().UnixMicro(), dayLen) // packed, it may be, but never rolled up
	err = r.abreast(ctx, q.Project, func() error {
		s := newSumming(q, today, take)
		if err := r.sum(ctx, s); err != nil {
			return err
		}
		left = s.parts()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return left, nil
}

// sum gives what is rolled up to s, unless the tail is behind. First the tail, then what is packed, as in once.
func (r *Reader) sum(ctx context.Context, s *summing) error {
	if s.from >= s.to {
		return nil
	}
	done, err := r.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	held := r.tail.Snapshot(s.q.Project, s.q.Series, s.from, s.to)
	rolled, err := store.FindRolledDays(ctx, r.pool, s.q.Project, s.q.Series, floor(s.from, dayLen), ceil(s.to, dayLen), store.DayRows{
		Columns: s.columns,
		Last:    len(s.cuts) == 0,
		Found:   func(rolled *store.Rolled) error { return s.begin(held, rolled) },
		Use:     s.takeDay,
	})
	if err == nil {
		defer rolled.Close(ctx)
		err = s.readHours(ctx)
	}
	switch {
	case s.failed != nil: // it comes back as it is; what the database says is to be translated
		return s.failed
	case err != nil:
		return store.Fault(err)
	}
	s.finish()
	return nil
}
