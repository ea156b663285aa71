package stats

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/readout-dev/readout/reading"
)

// Extremes is MinMax of readings of one series that come in pieces: it holds no more than about twice what it returns,
// however many they are. Several may share the work and then be merged. It is for one goroutine.
type Extremes struct {
	first, last int64             // µs
	most        int               // readings that are returned
	count       int               // readings that were added
	all         []reading.Reading // as long as they are no more than most
	ends        []reading.Reading // those at first and last
	buckets     []bucketExtremes
}

// bucketExtremes is the least and the greatest of a bucket's readings; of equal ones the earliest.
type bucketExtremes struct {
	least, greatest reading.Reading
	some            bool
}

// NewExtremes returns an empty Extremes that thins readings to at most n; the first and the last of them all have the times
// first and last (µs).
func NewExtremes(first, last int64, n int) *Extremes {
	return &Extremes{first: first, last: last, most: max(n, 0), buckets: make([]bucketExtremes, max(n-2, 0)/2)}
}

// Add adds readings in the order of time, from first to last; pieces come in any order, each reading once. rs is only read.
func (e *Extremes) Add(rs []reading.Reading) {
	e.keep(rs)
	if len(rs) > 0 && rs[0].Time == e.first {
		e.ends, rs = append(e.ends, rs[0]), rs[1:]
	}
	if n := len(rs) - 1; n >= 0 && rs[n].Time == e.last {
		e.ends, rs = append(e.ends, rs[n]), rs[:n]
	}
	for len(rs) > 0 && len(e.buckets) > 0 {
		bucket, end := e.bucket(rs[0].Time)
		size := e.before(rs, end)
		e.buckets[bucket].add(extremesOf(rs[:size]))
		rs = rs[size:]
	}
}

// keep keeps rs while all readings may be few.
func (e *Extremes) keep(rs []reading.Reading) {
	if e.count += len(rs); e.count <= e.most {
		e.all = append(e.all, rs...)
	} else {
		e.all = nil
	}
}

// Merge adds what was added to o, which has the same ends and n; o is of no use then.
func (e *Extremes) Merge(o *Extremes) {
	if e.count += o.count; e.count <= e.most {
		e.all = append(e.all, o.all...)
	} else {
		e.all = nil
	}
	e.ends = append(e.ends, o.ends...)
	for i, b := range o.buckets {
		if b.some {
			e.buckets[i].add(b)
		}
	}
}

// Readings returns what MinMax returns of all that were added: at most n, in the order of time.
func (e *Extremes) Readings() []reading.Reading {
	if e.count <= e.most {
		slices.SortFunc(e.all, byTime)
		return e.all
	}
	slices.SortFunc(e.ends, byTime)
	kept := make([]reading.Reading, 0, e.most+2)
	if len(e.ends) > 0 && e.ends[0].Time == e.first {
		kept = append(kept, e.ends[0])
	}
	for i := range e.buckets {
		kept = e.buckets[i].appendTo(kept)
	}
	if n := len(e.ends) - 1; n >= 0 && e.ends[n].Time == e.last {
		kept = append(kept, e.ends[n])
	}
	return kept[:min(len(kept), e.most)]
}

func byTime(a, b reading.Reading) int { return cmp.Compare(a.Time, b.Time) }

// bucket returns which bucket t is in, of those that divide the time from first to last, and how far from first that ends;
// first < t < last.
func (e *Extremes) bucket(t int64) (bucket, end uint64) {
	width, buckets := uint64(e.last-e.first), uint64(len(e.buckets))
	high, low := bits.Mul64(uint64(t-e.first), buckets)
	bucket, _ = bits.Div64(high, low, width)
	high, low = bits.Mul64(bucket+1, width)
	end, rest := bits.Div64(high, low, buckets)
	if rest > 0 {
		end++
	}
	return bucket, end
}

// before returns how many of rs are nearer to first than end. The first one is. It looks in steps that double, since buckets
// may be much shorter than pieces, and much longer.
func (e *Extremes) before(rs []reading.Reading, end uint64) int {
	inside := func(i int) bool { return uint64(rs[i].Time-e.first) < end }
	if inside(len(rs) - 1) {
		return len(rs)
	}
	in, out := 0, 1
	for inside(out) {
		in, out = out, min(2*out, len(rs)-1)
	}
	for in+1 < out {
		if middle := int(uint(in+out) / 2); inside(middle) {
			in = middle
		} else {
			out = middle
		}
	}
	return out
}

// extremesOf returns those of readings in the order of time, of which there are some. An index is all that it carries from
// one to the next beside the values: no reading is copied but the two that are found.
func extremesOf(rs []reading.Reading) bucketExtremes {
	least, greatest := 0, 0
	low, high := rs[0].Value, rs[0].Value
	for i := range rs {
		v := rs[i].Value
		if v < low {
			low, least = v, i
		}
		if v > high {
			high, greatest = v, i
		}
	}
	return bucketExtremes{least: rs[least], greatest: rs[greatest], some: true}
}

// add adds the extremes of other readings of the bucket.
func (b *bucketExtremes) add(o bucketExtremes) {
	if !b.some {
		*b = o
		return
	}
	if v := o.least; v.Value < b.least.Value || v.Value == b.least.Value && v.Time < b.least.Time {
		b.least = v
	}
	if v := o.greatest; v.Value > b.greatest.Value || v.Value == b.greatest.Value && v.Time < b.greatest.Time {
		b.greatest = v
	}
}

// appendTo appends the extremes in the order of time, one that is both once.
func (b *bucketExtremes) appendTo(kept []reading.Reading) []reading.Reading {
	switch {
	case !b.some:
		return kept
	case b.least.Time == b.greatest.Time:
		return append(kept, b.least)
	case b.least.Time < b.greatest.Time:
		return append(kept, b.least, b.greatest)
	}
	return append(kept, b.greatest, b.least)
}
