package history

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"

	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// span is the times from first to last, both of them in it.
type span struct{ first, last int64 }

// spans are apart from each other and ascending.
type spans []span

// loudSpans returns the times at which chunks are not the last word: rows of young may have other readings there, the tail has,
// or it takes some away.
func loudSpans(held tail.Snapshot, packed *store.Packed) spans {
	all := make(spans, 0, len(packed.Young)+len(held.Deletions)+len(held.Readings[0]))
	for _, k := range packed.Young {
		all = append(all, span{k.First, k.Last})
	}
	for _, d := range held.Deletions {
		if d.From < d.To {
			all = append(all, span{d.From, d.To - 1})
		}
	}
	for _, r := range held.Readings[0] {
		all = append(all, span{r.Time, r.Time})
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	apart := all[:0]
	for _, s := range all {
		if n := len(apart); n > 0 && s.first <= apart[n-1].last {
			apart[n-1].last = max(apart[n-1].last, s.last)
		} else {
			apart = append(apart, s)
		}
	}
	return apart
}

// touch reports whether any of the times from first to last is in one of them.
func (all spans) touch(first, last int64) bool {
	i := sort.Search(len(all), func(i int) bool { return all[i].last >= first })
	return i < len(all) && all[i].first <= last
}

// quiet reports whether what the query finds of a chunk is what it finds at these times: chunks of a series never overlap.
func (s *sight) quiet(k store.ChunkKey) bool { return !s.loud.touch(k.First, k.Last) }

// ends returns the times of the first and the last reading when what is known of the rows says them.
func (s *sight) ends() (first, last int64, known bool) {
	first, last = math.MaxInt64, math.MinInt64 // of the readings that are known
	low, high := first, last                   // of those that there may be
	for _, k := range s.packed.Chunks {
		from, to := max(k.First, s.q.from), min(k.Last, s.q.to-1)
		low, high = min(low, from), max(high, to)
		if s.quiet(k) && from == k.First {
			first = min(first, from)
		}
		if s.quiet(k) && to == k.Last {
			last = max(last, to)
		}
	}
	for _, k := range s.packed.Young {
		low, high = min(low, max(k.First, s.q.from)), max(high, min(k.Last, s.q.to-1))
	}
	if rs := s.held.Readings[0]; len(rs) > 0 { // they are there whatever is deleted
		first, last = min(first, rs[0].Time), max(last, rs[len(rs)-1].Time)
	}
	return first, last, first <= low && last >= high && first <= last
}

// findEnds makes the query begin with the first reading and end with the last that there are now where s, which is over, had
// something; it makes it empty if there are none.
func (f *fold) findEnds(ctx context.Context, s *sight) error {
	some, err := f.findFirst(ctx, s.rows())
	if some && err == nil {
		some, err = f.findLast(ctx, s.rows())
	}
	if !some {
		f.q.to = f.q.from
	}
	return err
}

// mostLooked is how many rows are looked at at once for an end: none of those before had a reading.
const mostLooked = 64

// findFirst reads on from the beginning until there is a reading.
func (f *fold) findFirst(ctx context.Context, rows []span) (some bool, err error) {
	slices.SortFunc(rows, func(a, b span) int { return cmp.Compare(a.last, b.last) })
	q := f.q
	for n := 1; len(rows) > 0 && !some && err == nil; n = min(2*n, mostLooked) {
		n = min(n, len(rows))
		q.to = min(rows[n-1].last, f.q.to-1) + 1
		var found stretch
		if found, err = f.reader.whole(ctx, q); err == nil && found.count > 0 {
			f.q.from, some = found.series[0][0].Time, true
		}
		q.from, rows = q.to, rows[n:]
	}
	return some, err
}

// findLast reads back from the end until there is a reading.
func (f *fold) findLast(ctx context.Context, rows []span) (some bool, err error) {
	slices.SortFunc(rows, func(a, b span) int { return cmp.Compare(b.first, a.first) })
	q := f.q
	for n := 1; len(rows) > 0 && !some && err == nil; n = min(2*n, mostLooked) {
		n = min(n, len(rows))
		q.from = max(rows[n-1].first, f.q.from)
		var found stretch
		if found, err = f.reader.whole(ctx, q); err == nil && found.count > 0 {
			f.q.to, some = found.series[0][found.count-1].Time+1, true
		}
		q.to, rows = q.from, rows[n:]
	}
	return some, err
}

// rows returns the times of all rows, and of the tail's readings.
func (s *sight) rows() []span {
	rows := make([]span, 0, len(s.packed.Chunks)+len(s.packed.Young)+1)
	for _, k := range s.packed.Chunks {
		rows = append(rows, span{k.First, k.Last})
	}
	for _, k := range s.packed.Young {
		rows = append(rows, span{k.First, k.Last})
	}
	if rs := s.held.Readings[0]; len(rs) > 0 {
		rows = append(rows, span{rs[0].Time, rs[len(rs)-1].Time})
	}
	return rows
}
