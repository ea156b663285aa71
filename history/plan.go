package history

import (
	"math"

	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

const (
	// maxRows is how many packed rows of a kind one read looks at: their keys are held in memory.
	maxRows = 250_000
	// maxChunk is more readings than a packed row holds.
	maxChunk = 10_000
)

// maxChunks is how many chunks of each series are looked at for a query: somewhat more than it is likely to need.
func (q query) maxChunks() int {
	if q.want == 0 {
		return maxRows + 1
	}
	each := q.want/len(q.series) + 1
	return max(4, min(each, 64), each/500)
}

// maxYoung is how many rows of young that begin later than the query are looked at, of all series together; 0 is all.
func (q query) maxYoung() int {
	if q.want == 0 {
		return 0
	}
	return max(1000, q.want/100)
}

// upTo returns the greatest time for which fit holds, which holds for no time behind one for which it does not: behind
// from and not behind to. It is the least such time if fit holds for none.
func upTo(from, to int64, fit func(to int64) bool) int64 {
	if fit(to) {
		return to
	}
	enough, tooFar := from+1, to
	for enough < tooFar-1 {
		middle := enough + int64(uint64(tooFar-enough)/2)
		if fit(middle) {
			enough = middle
		} else {
			tooFar = middle
		}
	}
	return enough
}

const (
	sampled = 8 // series that tailEnd judges by at first
	unlike  = 4 // how many times as much as they promise there may be
)

// tailEnd returns a time, behind from and not behind to, before which the tail holds about what q wants. It judges by a
// few of the series, and only if these turn out to be unlike the others, by all.
func (r *Reader) tailEnd(q query) int64 {
	if q.want == 0 {
		return q.to
	}
	step := (len(q.series) + sampled - 1) / sampled
	var some []int64
	for i := 0; i < len(q.series); i += step {
		some = append(some, q.series[i])
	}
	fit := func(series []int64, share int) func(to int64) bool {
		return func(to int64) bool { return r.tail.Count(q.project, series, q.from, to) <= q.want/share+1 }
	}
	end := upTo(q.from, q.to, fit(some, step))
	if r.tail.Count(q.project, q.series, q.from, end) <= unlike*q.want {
		return end
	}
	return upTo(q.from, end, fit(q.series, 1))
}

// end returns where the query ends, judging by what is known of the rows before they are read: behind from, not behind
// to, where every row is known that begins before, and where about want readings lie before.
func (q query) end(packed *store.Packed, held tail.Snapshot) int64 {
	if q.want == 0 {
		return q.to
	}
	end := q.knownTo(packed)
	pieces := q.pieces(packed, held)
	likely := func(to int64) (n float64) {
		for _, p := range pieces {
			n += p.within(q.from, to)
		}
		return n
	}
	return upTo(q.from, end, func(to int64) bool { return likely(to) <= float64(q.want) })
}

// knownTo returns the time up to which all rows are found: of chunks, and of young, only some were asked for.
func (q query) knownTo(packed *store.Packed) int64 {
	end, n, chunks := q.to, 0, packed.Chunks
	for i, k := range chunks {
		if i > 0 && chunks[i-1].Series != k.Series {
			n = 0
		}
		if k.First >= q.from {
			n++
		}
		if n == q.maxChunks() {
			end = min(end, k.Last+1)
		}
	}
	if most := q.maxYoung(); most > 0 && len(packed.Young) >= most {
		last := q.from
		for _, k := range packed.Young {
			last = max(last, k.First)
		}
		end = min(end, last+1)
	}
	return end
}

// wholly returns how many readings those chunks hold of which all are asked for.
func (q query) wholly(chunks []store.ChunkKey) (n int) {
	for _, k := range chunks {
		if q.from <= k.First && k.Last < q.to {
			n += k.Count
		}
	}
	return n
}

// piece is some readings of which only this is known: how many lie between which times.
type piece struct {
	count       float64
	first, last int64
}

func (q query) pieces(packed *store.Packed, held tail.Snapshot) []piece {
	pieces := make([]piece, 0, len(packed.Chunks)+len(packed.Young)+len(held.Readings))
	for _, k := range packed.Chunks {
		pieces = append(pieces, piece{float64(k.Count), k.First, k.Last})
	}
	m := merger{q: q}
	for _, k := range packed.Young {
		if n := len(m.wanted(k)); n > 0 {
			share := float64(n) / float64(k.LastSeries-k.FirstSeries+1)
			pieces = append(pieces, piece{float64(k.Count) * share, k.First, k.Last})
		}
	}
	for _, rs := range held.Readings {
		if n := len(rs); n > 0 {
			pieces = append(pieces, piece{float64(n), rs[0].Time, rs[n-1].Time})
		}
	}
	return pieces
}

// within returns how many of the readings have from <= time < to, if they are spread evenly.
func (p piece) within(from, to int64) float64 {
	from, to = max(from, p.first), min(to, p.last+1)
	if from >= to {
		return 0
	}
	return p.count * (float64(to) - float64(from)) / (float64(p.last) - float64(p.first) + 1)
}

// cut ends a stretch where want readings lie before, or behind the first µs that has any if more lie in that.
func (s *stretch) cut(want int) {
	if s.count <= want {
		return
	}
	before := func(to int64) (n int) {
		for _, rs := range s.series {
			n += len(between(rs, math.MinInt64, to))
		}
		return n
	}
	first := s.to
	for _, rs := range s.series {
		if len(rs) > 0 {
			first = min(first, rs[0].Time)
		}
	}
	s.to = upTo(first, s.to, func(to int64) bool { return before(to) <= want })
	s.count = before(s.to)
	for i, rs := range s.series {
		s.series[i] = between(rs, math.MinInt64, s.to)
	}
}
