package pack

import (
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// run names a run of a block: what all its rows have in common.
type run struct {
	day         time.Time
	block       int64
	since, upto int64
	tier        int16
}

// segmenter cuts the readings of a run, which come sorted and piece by piece, into young rows.
type segmenter struct {
	run
	max     int // readings of a row
	pending []reading.Reading
	rows    []store.YoungRow
	bytes   []byte // payloads
}

// begin starts a run.
func (s *segmenter) begin(r run, max int) {
	*s = segmenter{run: r, max: max, pending: s.pending[:0], bytes: s.bytes}
}

// add takes the next readings.
func (s *segmenter) add(rs []reading.Reading) {
	if len(s.pending) == 0 {
		rs = s.cutAll(rs)
		s.pending = append(s.pending, rs...)
		return
	}
	s.pending = append(s.pending, rs...)
	rest := s.cutAll(s.pending)
	s.pending = s.pending[:copy(s.pending, rest)]
}

// cutAll makes rows of rs as long as more than one row is left, and returns the rest.
func (s *segmenter) cutAll(rs []reading.Reading) []reading.Reading {
	for len(rs) > s.max {
		n := cutRow(rs, s.max)
		s.row(rs[:n])
		rs = rs[n:]
	}
	return rs
}

// cutRow returns how many of more than max readings become a row: it ends with a series where that leaves it half full, so
// that fewer rows must be read for one.
func cutRow(rs []reading.Reading, max int) int {
	if series := rs[max].Series; series == rs[max-1].Series {
		if n := searchSeries(rs[:max], series); n >= max/2 && n > 0 {
			return n
		}
	}
	return max
}

func (s *segmenter) row(rs []reading.Reading) {
	start := len(s.bytes)
	s.bytes = reading.Compact(s.bytes, rs)
	first, last := rs[0].Time, rs[0].Time
	for i := range rs {
		first, last = min(first, rs[i].Time), max(last, rs[i].Time)
	}
	s.rows = append(s.rows, store.YoungRow{
		Day: s.day, Block: s.block, FirstSeries: rs[0].Series, LastSeries: rs[len(rs)-1].Series,
		Upto: s.upto, Since: s.since, Part: len(s.rows) + 1, Tier: s.tier,
		FirstTime: first, LastTime: last, Count: len(rs), Payload: s.bytes[start:len(s.bytes):len(s.bytes)],
	})
}

// finish returns the rows of the run.
func (s *segmenter) finish() []store.YoungRow {
	if len(s.pending) > 0 {
		s.row(s.pending)
		s.pending = s.pending[:0]
	}
	for i := range s.rows {
		s.rows[i].Parts = len(s.rows)
	}
	return s.rows
}
