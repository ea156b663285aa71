package history

import (
	"context"

	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// What an estimate looks at, so that it takes some milliseconds whatever the range.
const (
	allSeries    = 32   // up to so many, and
	someSeries   = 16   // so many of more: it concludes from them what the others have
	estimateRows = 2000 // of chunk, and of young
)

// Estimate returns about how many readings the series, which must be distinct, have with from <= time < to: it decodes none,
// judges by the keys of packed rows, of many series by some, and knows no deletions and no corrections. What is most or more
// says only that there are at least about so many. Outlived is that of Look.
func (r *Reader) Estimate(
	ctx context.Context, project int64, series []int64, from, to int64, most int,
) (n int, outlived bool, err error) {
	look, err := r.Look(ctx, LookQuery{Project: project, Series: series, From: from, To: to, Most: most}, nil)
	return look.Readings, look.Outlived, err
}

// sample returns the series that are looked at, evenly chosen.
func sample(series []int64) []int64 {
	if len(series) <= allSeries {
		return series
	}
	some := make([]int64, someSeries)
	for i := range some {
		some[i] = series[i*len(series)/someSeries]
	}
	return some
}

// likely returns how many readings the query probably finds. Where not all rows are known, those of the first series or days
// are, and the others are taken to be as these.
func (q query) likely(packed *store.Packed, now int64) float64 {
	chunks := q.sum(&store.Packed{Chunks: packed.Chunks}, tail.Snapshot{})
	if n := len(packed.Chunks); n >= estimateRows {
		m := merger{q: q}
		chunks *= float64(len(q.series)) / float64(m.place(packed.Chunks[n-1].Series)+1)
	}
	young := q.sum(&store.Packed{Young: packed.Young}, tail.Snapshot{})
	if n := len(packed.Young); n >= estimateRows {
		first, last := packed.Young[0].Day.UnixMicro(), packed.Young[n-1].Day.UnixMicro()+dayLen
		end := max(last, min(q.to, now))
		young *= float64(end-first) / float64(last-first)
	}
	return chunks + young
}

// sum returns how many readings of the rows and of the tail the query finds, if they are spread evenly.
func (q query) sum(packed *store.Packed, held tail.Snapshot) (n float64) {
	for _, p := range q.pieces(packed, held) {
		n += p.within(q.from, q.to)
	}
	return n
}
