package stats

import (
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"github.com/readout-dev/readout/reading"
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
	lowestBin  = logarithm.Index(logarithm.MinIndexableValue())
	highestBin = logarithm.Index(logarithm.MaxIndexableValue())
)

func newBins() *ddsketch.DDSketch {
	return ddsketch.NewDDSketch(logarithm, store.NewDenseStore(), store.NewDenseStore())
}

// spill turns an exact sketch into one of bins.
func (s *Sketch) spill() {
	if s.bins != nil {
		return
	}
	s.bins = newBins()
	addCounts(s.bins, s.exact)
	s.exact = nil
}

func addCounts(bins *ddsketch.DDSketch, counts []valueCount) {
	for _, c := range counts {
		add(bins, c.value, float64(c.count))
	}
}

// add puts the greatest values, for which there are no bins, into the last ones.
func add(bins *ddsketch.DDSketch, v, count float64) {
	most := logarithm.MaxIndexableValue()
	if err := bins.AddWithCount(min(max(v, -most), most), count); err != nil {
		panic(err) // v is finite, count positive
	}
}

// addToBins adds readings to a sketch of bins that is not empty.
func (s *Sketch) addToBins(rs []reading.Reading) {
	s.count += int64(len(rs))
	least, most := logarithm.MinIndexableValue(), logarithm.MaxIndexableValue()
	positive, negative := s.bins.GetPositiveValueStore(), s.bins.GetNegativeValueStore()
	for i := range rs {
		v := rs[i].Value
		if v < s.min {
			s.min = v
		}
		if v > s.max {
			s.max = v
		}
		switch { // the usual cases of add, without its checks
		case v > least && v <= most:
			positive.Add(logarithm.Index(v))
		case v < -least && v >= -most:
			negative.Add(logarithm.Index(-v))
		default:
			add(s.bins, v, 1)
		}
	}
}

// binnedQuantile returns the middle of the bin that has the reading at the rank of q, rounded down. (DDSketch's own
// method rounds ranks among negative values up.)
func (s *Sketch) binnedQuantile(q float64) float64 {
	rank := math.Floor(q * float64(s.count-1))
	negative := s.bins.GetNegativeValueStore()
	if n := negative.TotalCount(); rank < n {
		return -logarithm.Value(negative.KeyAtRank(n - 1 - rank))
	} else if rank -= n; rank < s.bins.GetZeroCount() {
		return 0
	}
	return logarithm.Value(s.bins.GetPositiveValueStore().KeyAtRank(rank - s.bins.GetZeroCount()))
}
