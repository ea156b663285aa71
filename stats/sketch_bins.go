package stats

import (
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// logarithm is the mapping of values to bins of every sketch, interpolated because a true logarithm for each reading
// takes several times longer.
var logarithm = must(mapping.NewCubicallyInterpolatedMapping(Accuracy))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The bins of the least and the greatest value; zeros, and what is too near to zero, are counted apart.
var (
	lowestBin  = logarithm.Index(leastIndexable)
	highestBin = logarithm.Index(mostIndexable)
)

func newBins() *ddsketch.DDSketch {
	return ddsketch.NewDDSketch(logarithm, store.NewDenseStore(), store.NewDenseStore())
}

// Spill turns an exact sketch into one of bins, which often takes fewer bytes. One of no readings stays as it is.
func (s *Sketch) Spill() {
	if s.bins != nil || s.count == 0 {
		return
	}
	s.bins = newBins()
	addCounts(s.bins, s.exact)
	s.exact = nil
}

func addCounts(bins *ddsketch.DDSketch, counts []valueCount) {
	positive, negative := bins.GetPositiveValueStore(), bins.GetNegativeValueStore()
	for _, c := range counts {
		switch v, count := c.value, float64(c.count); {
		case indexable(v):
			positive.AddWithCount(logarithm.Index(v), count)
		case indexable(-v):
			negative.AddWithCount(logarithm.Index(-v), count)
		default:
			add(bins, v, count)
		}
	}
}

// The least and the greatest value for which there are bins.
var leastIndexable, mostIndexable = logarithm.MinIndexableValue(), logarithm.MaxIndexableValue()

// indexable reports whether v has a bin of its own among the positive ones: the usual case, without the checks of add.
func indexable(v float64) bool { return v > leastIndexable && v <= mostIndexable }

// add puts the greatest values, for which there are no bins, into the last ones.
func add(bins *ddsketch.DDSketch, v, count float64) {
	if err := bins.AddWithCount(min(max(v, -mostIndexable), mostIndexable), count); err != nil {
		panic(err) // v is finite, count positive
	}
}

// addToBins adds values to a sketch of bins that is not empty.
func (s *Sketch) addToBins(values []float64) {
	s.count += int64(len(values))
	positive, negative := s.bins.GetPositiveValueStore(), s.bins.GetNegativeValueStore()
	for _, v := range values {
		if v < s.min {
			s.min = v
		}
		if v > s.max {
			s.max = v
		}
		switch {
		case indexable(v):
			positive.Add(logarithm.Index(v))
		case indexable(-v):
			negative.Add(logarithm.Index(-v))
		default:
			add(s.bins, v, 1)
		}
	}
}

// rankedBins is ranked of a sketch of bins. Both are found at one look at the bins if they are positive, as they mostly are.
func (s *Sketch) rankedBins(i int64) (v, next float64) {
	positive := s.bins.GetPositiveValueStore()
	last, rank := s.count-1, float64(i)-(float64(s.count)-positive.TotalCount())
	if i == 0 || i >= last-1 || rank < 0 {
		return s.binned(i), s.binned(min(i+1, last))
	}
	var n float64
	key, nextKey := math.MinInt, math.MinInt
	positive.ForEach(func(index int, count float64) (stop bool) {
		if n += count; n > rank && key == math.MinInt {
			key = index
		}
		nextKey = index
		return n > rank+1
	})
	return s.within(logarithm.Value(key)), s.within(logarithm.Value(nextKey))
}

// binned returns the value at a rank, counted from 0: the middle of its bin, and never beyond the least or the greatest
// value, which are known. (DDSketch's own method rounds ranks among negative values up.)
func (s *Sketch) binned(i int64) float64 {
	switch i {
	case 0:
		return s.min
	case s.count - 1:
		return s.max
	}
	rank := float64(i)
	negative := s.bins.GetNegativeValueStore()
	if n := negative.TotalCount(); rank < n {
		return s.within(-logarithm.Value(negative.KeyAtRank(n - 1 - rank)))
	} else if rank -= n; rank < s.bins.GetZeroCount() {
		return s.within(0)
	}
	return s.within(logarithm.Value(s.bins.GetPositiveValueStore().KeyAtRank(rank - s.bins.GetZeroCount())))
}

func (s *Sketch) within(v float64) float64 { return min(max(v, s.min), s.max) }

// eachBin is each of a sketch of bins.
func (s *Sketch) eachBin(yield func(value float64, count int64)) {
	s.bins.GetNegativeValueStore().ForEach(func(index int, count float64) bool {
		yield(s.within(-logarithm.Value(index)), int64(count))
		return false
	})
	if zeros := s.bins.GetZeroCount(); zeros > 0 {
		yield(s.within(0), int64(zeros))
	}
	s.bins.GetPositiveValueStore().ForEach(func(index int, count float64) bool {
		yield(s.within(logarithm.Value(index)), int64(count))
		return false
	})
}
