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
// However readings are divided among sketches that are not spilled, these merge to the same sketch. The zero value is a sketch of none. Not
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
	var b builder
	var block [MaxExact]float64
	for len(rs) > 0 {
		n := min(len(rs), len(block))
		for i := range n {
			block[i] = rs[i].Value
		}
		b.add(block[:n])
		rs = rs[n:]
	}
	return b.build()
}

// sketchOf returns the sketch of values, which are finite, in any order.
func sketchOf(values []float64) *Sketch {
	var b builder
	b.add(values)
	return b.build()
}

// builder makes a sketch: it counts distinct values until they are too many.
type builder struct {
	tally  tally
	sketch *Sketch // nil while tally has all
}

func (b *builder) add(values []float64) {
	if b.sketch == nil {
		counted := b.tally.addAll(values)
		if counted == len(values) {
			return
		}
		b.sketch = b.tally.sketch()
		b.sketch.Spill()
		values = values[counted:]
	}
	b.sketch.addToBins(values)
}

func (b *builder) build() *Sketch {
	if b.sketch == nil {
		return b.tally.sketch()
	}
	return b.sketch
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
			s.Spill()
		}
		return
	}
	s.Spill()
	if other.bins == nil {
		addCounts(s.bins, other.exact)
		return
	}
	if err := s.bins.MergeWith(other.bins); err != nil {
		panic(err) // all our sketches have one mapping
	}
}

// mergeCounts adds b's counts to a, in place as far as a has room, and returns it. Both are ascending.
func mergeCounts(a, b []valueCount) []valueCount {
	missing := addFound(a, b)
	if missing == 0 { // as usual: a sensor's days have the same values
		return a
	}
	from, to := len(a)-1, len(a)+missing-1
	a = slices.Grow(a, missing)[:len(a)+missing]
	for len(b) > 0 && from < to { // from the end, so that nothing is overwritten
		next := b[len(b)-1]
		if from >= 0 && a[from].value >= next.value {
			if a[from].value == next.value {
				b = b[:len(b)-1]
			}
			a[to] = a[from]
			from--
		} else {
			a[to] = next
			b = b[:len(b)-1]
		}
		to--
	}
	return a
}

// addFound adds the counts of those values of b that a has, and returns how many it has not.
func addFound(a, b []valueCount) (missing int) {
	at := 0
	for _, c := range b {
		for at < len(a) && a[at].value < c.value {
			at++
		}
		if at < len(a) && a[at].value == c.value {
			a[at].count += c.count
		} else {
			missing++
		}
	}
	return missing
}

// Quantile returns the value below which a share q of the readings lies, q from 0 to 1: NaN when there are none, and
// never beyond the least or the greatest value.
//
// It interpolates between the two nearest readings as percentile_cont of SQL does: definition 7 of R. J. Hyndman, Y. Fan,
// "Sample Quantiles in Statistical Packages", The American Statistician 50:4, 1996. When the sketch is not exact, each of
// these two is only known within Accuracy, and so is what lies between them, unless 0 does; values beyond ±1.2e308 count
// as that, and those within ±2.3e-308 as 0.
func (s *Sketch) Quantile(q float64) float64 {
	if s.count == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	rank := min(max(q, 0), 1) * float64(s.count-1)
	below := math.Floor(rank)
	low, high := s.ranked(int64(below))
	return between(low, high, rank-below)
}

// ranked returns the values at ranks i and i+1, counted from 0; the greatest value has no next one and is its own.
func (s *Sketch) ranked(i int64) (v, next float64) {
	if s.bins != nil {
		return s.rankedBins(i)
	}
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

// each calls yield with the values, in no order, and how many readings have them: the middles of bins unless the
// sketch is exact.
func (s *Sketch) each(yield func(value float64, count int64)) {
	if s.bins != nil {
		s.eachBin(yield)
		return
	}
	for _, c := range s.exact {
		yield(c.value, c.count)
	}
}
