package stats

import (
	"math"
	"slices"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/readout-dev/readout/reading"
)

// MaxExact is how many distinct values a sketch counts exactly.
const MaxExact = 256

// Accuracy is the relative error of the quantiles of a sketch that is not exact.
const Accuracy = 0.01

// Sketch holds the distribution of the values of many readings. While they have at most MaxExact distinct values, which
// is what most sensors give in a day, it counts each value, and its quantiles are exact; beyond that it is a DDSketch,
// whose quantiles lie within Accuracy of a reading's value (C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and
// Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB 12:12, 2019).
//
// However readings are divided among sketches, these merge to the same sketch. The zero value is a sketch of none. Not
// safe for concurrent use but by readers alone.
type Sketch struct {
	count    int64
	min, max float64
	exact    []valueCount       // ascending, at most MaxExact; nil when bins are there
	bins     *ddsketch.DDSketch // nil while exact
}

// valueCount is a value and how often it occurs.
type valueCount struct {
	value float64
	count int64
}

// NewSketch returns the sketch of the values of rs, which are finite, in any order.
func NewSketch(rs []reading.Reading) *Sketch {
	s := new(Sketch)
	if len(rs) == 0 {
		return s
	}
	var t tally
	counted := t.addAll(rs)
	s.exact = t.counts()
	s.count = int64(counted)
	s.min, s.max = s.exact[0].value, s.exact[len(s.exact)-1].value
	if counted < len(rs) {
		s.spill()
		s.addToBins(rs[counted:])
	}
	return s
}

// Count returns how many readings the sketch holds.
func (s *Sketch) Count() int64 { return s.count }

// Exact reports whether Quantile is exact.
func (s *Sketch) Exact() bool { return s.bins == nil }

// Merge adds the readings of other, which stays as it is.
func (s *Sketch) Merge(other *Sketch) {
	switch {
	case other.count == 0:
		return
	case s.count == 0:
		s.min, s.max = other.min, other.max
	}
	s.count += other.count
	s.min, s.max = min(s.min, other.min), max(s.max, other.max)
	if s.bins == nil && other.bins == nil {
		if s.exact = mergeCounts(s.exact, other.exact); len(s.exact) > MaxExact {
			s.spill()
		}
		return
	}
	s.spill()
	if other.bins == nil {
		addCounts(s.bins, other.exact)
		return
	}
	if err := s.bins.MergeWith(other.bins); err != nil {
		panic(err) // all our sketches have one mapping
	}
}

func mergeCounts(a, b []valueCount) []valueCount {
	merged := make([]valueCount, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].value < b[0].value:
			merged, a = append(merged, a[0]), a[1:]
		case b[0].value < a[0].value:
			merged, b = append(merged, b[0]), b[1:]
		default:
			merged = append(merged, valueCount{a[0].value, a[0].count + b[0].count})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// Quantile returns the value below which a share q of the readings lies, q from 0 to 1: NaN when there are none, and
// never beyond the least or the greatest value.
//
// When the sketch is exact it interpolates between the two nearest readings as percentile_cont of SQL does: definition 7
// of R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50:4, 1996. When it is
// not, it is within Accuracy of the lower of these two; values beyond ±1.2e308 count as that, and those within ±2.3e-308
// as 0.
func (s *Sketch) Quantile(q float64) float64 {
	if s.count == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	q = min(max(q, 0), 1)
	switch {
	case q == 0:
		return s.min
	case q == 1:
		return s.max
	case s.bins == nil:
		return s.exactQuantile(q)
	}
	return min(max(s.binnedQuantile(q), s.min), s.max)
}

func (s *Sketch) exactQuantile(q float64) float64 {
	rank := q * float64(s.count-1)
	below := math.Floor(rank)
	low, high := s.ranked(int64(below))
	v := low + float64((rank-below)*(high-low))
	if math.IsInf(v, 0) { // high - low is beyond float64
		v = float64(low*(1-(rank-below))) + float64(high*(rank-below))
	}
	return min(max(v, low), high)
}

// ranked returns the values at ranks i and i+1, counted from 0; the greatest value has no next one and is its own.
func (s *Sketch) ranked(i int64) (v, next float64) {
	at := slices.IndexFunc(s.exact, func(c valueCount) bool {
		i -= c.count
		return i < 0
	})
	v = s.exact[at].value
	if i < -1 || at+1 == len(s.exact) {
		return v, v
	}
	return v, s.exact[at+1].value
}
