package analysis

import (
	"slices"
	"sort"
	"time"

	"github.com/readout-dev/readout/stats"
)

// frame is a range of time and how buckets divide it. Its intervals are the parts of the buckets that lie in the range, and
// what of the range lies in no bucket; buckets of which nothing does have none.
type frame struct {
	bounds []int64 // of the buckets, ascending, equal where a bucket is empty
	cuts   []int64 // of the intervals: cuts[i] <= time < cuts[i+1]; the first is the range's beginning, the last its end
	bucket []int   // of each interval; -1 for none
}

// newFrame clips the buckets between bounds to a range, which is empty when there are none.
func newFrame(bounds []int64, from, to int64) *frame {
	f := &frame{bounds: bounds, cuts: make([]int64, 0, len(bounds)), bucket: make([]int, 0, len(bounds))}
	f.cuts = append(f.cuts, from)
	if len(bounds) == 0 {
		return f
	}
	f.add(-1, min(bounds[0], to))
	for i := range len(bounds) - 1 {
		f.add(i, min(bounds[i+1], to))
	}
	f.add(-1, to)
	return f
}

// add adds the interval of a bucket, from where the last one ends.
func (f *frame) add(bucket int, end int64) {
	if end > f.to() {
		f.cuts = append(f.cuts, end)
		f.bucket = append(f.bucket, bucket)
	}
}

func (f *frame) from() int64    { return f.cuts[0] }
func (f *frame) to() int64      { return f.cuts[len(f.cuts)-1] }
func (f *frame) intervals() int { return len(f.bucket) }

// holdsHour reports whether a whole UTC hour lies in an interval.
func (f *frame) holdsHour() bool {
	for i := range f.bucket {
		if f.cuts[i]+mod(-f.cuts[i], hour)+hour <= f.cuts[i+1] {
			return true
		}
	}
	return false
}

// at returns the interval of a time: -1 before the range, intervals() behind it. near is a guess.
func (f *frame) at(t int64, near int) int {
	for _, i := range [...]int{near, near + 1} {
		if 0 <= i && i < len(f.bucket) && f.cuts[i] <= t && t < f.cuts[i+1] {
			return i
		}
	}
	return sort.Search(len(f.cuts), func(i int) bool { return f.cuts[i] > t }) - 1
}

// shifted returns the frame one period before, whose bucket i is that between the shifted bounds of bucket i. Where the
// calendar or the clock would put a bound before the one in front of it, it is put there, so that buckets may be empty, and
// the end of the range in none.
func (f *frame) shifted(by stats.Period, zone *time.Location) *frame {
	back := func(t int64) int64 { return by.Shift(t, -1, zone) }
	bounds := make([]int64, len(f.bounds))
	for i, b := range f.bounds {
		bounds[i] = back(b)
		if i > 0 {
			bounds[i] = max(bounds[i], bounds[i-1])
		}
	}
	return newFrame(bounds, back(f.from()), back(f.to()))
}

// within returns the cuts between two times and these: what may be asked for of a part of the range, or of more than it.
func (f *frame) within(from, to int64) []int64 {
	low := sort.Search(len(f.cuts), func(i int) bool { return f.cuts[i] > from })
	high := sort.Search(len(f.cuts), func(i int) bool { return f.cuts[i] >= to })
	return append(append(append(make([]int64, 0, high-low+2), from), slices.Clone(f.cuts[low:high])...), to)
}
