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
	return max(4, min(each, 64), each/250)
}

// sampled is how many series tailEnd looks at.
const sampled = 8

// tailEnd returns a time, behind from and not behind to, before which the tail holds about what q wants. It judges by a
// few of the series: the snapshot of all would be a copy of all that the tail has of them.
func (r *Reader) tailEnd(q query) int64 {
	if q.want == 0 {
		return q.to
	}
	step := (len(q.series) + sampled - 1) / sampled
	var some []int64
	for i := 0; i < len(q.series); i += step {
		some = append(some, q.series[i])
	}
	s := stretch{from: q.from, to: q.to, series: r.tail.Snapshot(q.project, some, q.from, q.to).Readings}
	for _, rs := range s.series {
		s.count += len(rs)
	}
	s.cut(q.want/step + 1)
	return s.to
}

// end returns where the query ends, judging by what is known of the rows before they are read: behind from, not behind
// to, where every row is known that begins before, and where about want readings lie before.
func (q query) end(packed *store.Packed, held tail.Snapshot) int64 {
	if q.want == 0 {
		return q.to
	}
	end := q.knownTo(packed.Chunks)
	pieces := q.pieces(packed, held)
	likely := func(to int64) (n float64) {
		for _, p := range pieces {
			n += p.within(q.from, to)
		}
		return n
	}
	if likely(end) <= float64(q.want) {
		return end
	}
	enough := q.from + 1 // the greatest time known to have no more than is wanted before it, but for the least there is
	for enough < end-1 {
		middle := enough + int64(uint64(end-enough)/2)
		if likely(middle) <= float64(q.want) {
			enough = middle
		} else {
			end = middle
		}
	}
	return enough
}

// knownTo returns the time up to which all chunks are found: of each series only some were asked for.
func (q query) knownTo(chunks []store.ChunkKey) int64 {
	end, n := q.to, 0
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

// cut ends a stretch where want readings lie before, or after one µs if more lie in that.
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
	enough, tooFar := s.from+1, s.to
	for enough < tooFar-1 {
		middle := enough + int64(uint64(tooFar-enough)/2)
		if before(middle) <= want {
			enough = middle
		} else {
			tooFar = middle
		}
	}
	s.to = enough
	s.count = before(enough)
	for i, rs := range s.series {
		s.series[i] = between(rs, math.MinInt64, enough)
	}
}
