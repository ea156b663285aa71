package pack

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// sweep reads rows of young of one block, of any number of runs, in the order of series and time, as one: of readings that
// are there more than once the one of the highest run. It holds no more than some rows of each run in memory.
//
// The rows are taken in the order of the earliest reading that each may hold. When those of a stretch are decoded, all
// readings before the earliest of the next row are complete.
type sweep struct {
	tx      pgx.Tx
	project int64
	stretch int // readings
	rows    []store.YoungRow

	active []sweptRow
	series [store.BlockSeries][]slice // what is complete, by place in the block
	dirty  [store.BlockSeries / 64]uint64
	merged []reading.Reading
	runs   [][]reading.Reading
	free   [][]reading.Reading
}

// sweptRow is a decoded row and what is left of it.
type sweptRow struct {
	row  *store.YoungRow
	all  []reading.Reading
	rest []reading.Reading
}

// slice is what one row holds of one series.
type slice struct {
	readings []reading.Reading
	fresh    bool // not settled yet
}

// sink takes what is swept: the series in order, each one's readings in order of time, piece by piece. fresh says that the
// piece may hold readings that are not settled yet. It must not keep rs.
type sink interface {
	take(ctx context.Context, series int64, rs []reading.Reading, fresh bool) error
}

// run gives all readings of the rows to to.
func (s *sweep) run(ctx context.Context, tx pgx.Tx, project int64, rows []store.YoungRow, to sink) error {
	s.tx, s.project, s.rows = tx, project, rows
	slices.SortFunc(rows, func(a, b store.YoungRow) int {
		return cmp.Or(cmp.Compare(a.FirstSeries, b.FirstSeries), cmp.Compare(a.FirstTime, b.FirstTime))
	})
	defer s.drop()
	for len(s.rows) > 0 {
		if err := s.decode(ctx, s.next()); err != nil {
			return err
		}
		if err := s.emit(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// drop gives all memory of rows back, also after an error.
func (s *sweep) drop() {
	for _, a := range s.active {
		s.free = append(s.free, a.all[:0])
	}
	clear(s.active)
	s.active = s.active[:0]
	for i := range s.series {
		s.series[i] = s.series[i][:0]
	}
	clear(s.dirty[:])
	s.rows = nil
}

// next takes the rows of the next stretch: at least one.
func (s *sweep) next() []store.YoungRow {
	const most = 4096 // rows
	n, readings := 1, s.rows[0].Count
	for n < len(s.rows) && n < most && readings+s.rows[n].Count <= s.stretch {
		readings += s.rows[n].Count
		n++
	}
	taken := s.rows[:n]
	s.rows = s.rows[n:]
	return taken
}

// decode reads rows and makes them active.
func (s *sweep) decode(ctx context.Context, rows []store.YoungRow) error {
	err := store.ReadYoung(ctx, s.tx, s.project, rows, func(i int, payload []byte) error {
		rs, err := decodeRow(s.buffer(), &rows[i], payload)
		s.active = append(s.active, sweptRow{&rows[i], rs, rs})
		return err
	})
	slices.SortFunc(s.active, func(a, b sweptRow) int {
		return cmp.Or(a.row.Day.Compare(b.row.Day), cmp.Compare(a.row.Upto, b.row.Upto), cmp.Compare(a.row.Part, b.row.Part))
	})
	return err
}

// decodeRow appends the readings of a row to dst.
func decodeRow(dst []reading.Reading, row *store.YoungRow, payload []byte) ([]reading.Reading, error) {
	had := len(dst)
	dst, err := reading.Decode(dst, payload)
	if err == nil && len(dst)-had != row.Count {
		err = fmt.Errorf("it holds %d readings instead of %d", len(dst)-had, row.Count)
	}
	if err == nil && row.Count > 0 && (dst[had].Series != row.FirstSeries || dst[len(dst)-1].Series != row.LastSeries) {
		err = fmt.Errorf("it does not hold the series %d to %d", row.FirstSeries, row.LastSeries)
	}
	if err != nil {
		return dst[:had], fmt.Errorf("decode the young row of %s, series %d to %d, run %d, part %d: %w",
			row.Day.Format("2006-01-02"), row.FirstSeries, row.LastSeries, row.Upto, row.Part, err)
	}
	return dst, nil
}

func (s *sweep) buffer() []reading.Reading {
	if n := len(s.free); n > 0 {
		b := s.free[n-1]
		s.free = s.free[:n-1]
		return b[:0]
	}
	return nil
}

// emit hands over all readings before the earliest of the rows to come.
func (s *sweep) emit(ctx context.Context, to sink) error {
	endSeries, endTime := int64(math.MaxInt64), int64(math.MaxInt64)
	if len(s.rows) > 0 {
		endSeries, endTime = s.rows[0].FirstSeries, s.rows[0].FirstTime
	}
	for i := range s.active {
		a := &s.active[i]
		n := searchKey(a.rest, endSeries, endTime)
		s.divide(a.rest[:n], a.row.Tier != store.TierSettled)
		a.rest = a.rest[n:]
	}
	for word, set := range s.dirty {
		for ; set != 0; set &= set - 1 {
			if err := s.give(ctx, word*64+bits.TrailingZeros64(set), to); err != nil {
				return err
			}
		}
		s.dirty[word] = 0
	}
	s.active = slices.DeleteFunc(s.active, func(a sweptRow) bool {
		if len(a.rest) == 0 {
			s.free = append(s.free, a.all[:0])
		}
		return len(a.rest) == 0
	})
	return nil
}

// divide puts what a row holds to its series.
func (s *sweep) divide(rs []reading.Reading, fresh bool) {
	for series, run := range reading.Runs(rs) {
		place := int(series & (store.BlockSeries - 1))
		s.series[place] = append(s.series[place], slice{run, fresh})
		s.dirty[place/64] |= 1 << (place % 64)
	}
}

// give hands over what is complete of a series. Most of the time the rows hold one stretch of time after the other.
func (s *sweep) give(ctx context.Context, place int, to sink) error {
	pieces := s.series[place]
	s.series[place] = pieces[:0]
	inOrder, fresh := true, pieces[0].fresh
	for i := 1; i < len(pieces); i++ {
		before := pieces[i-1].readings
		inOrder = inOrder && before[len(before)-1].Time < pieces[i].readings[0].Time
		fresh = fresh || pieces[i].fresh
	}
	series := pieces[0].readings[0].Series
	if inOrder {
		for _, p := range pieces {
			if err := to.take(ctx, series, p.readings, fresh); err != nil {
				return err
			}
		}
		return nil
	}
	s.runs = s.runs[:0]
	for _, p := range pieces {
		s.runs = append(s.runs, p.readings)
	}
	s.merged = reading.Merge(s.merged[:0], s.runs...)
	return to.take(ctx, series, s.merged, fresh)
}
