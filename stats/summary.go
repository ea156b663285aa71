package stats

import (
	"math"

	"github.com/readout-dev/readout/reading"
)

// Summary is what a rollup says of the readings of a stretch of time. The zero value is the summary of none.
type Summary struct {
	Count           int
	Sum             float64 // ±Inf where it is beyond float64
	M2              float64 // sum of the squared distances to the mean: the variance is M2 / (Count - 1); +Inf beyond float64
	Min, Max        float64
	First, Last     float64
	FirstAt, LastAt int64 // µs since 1970, times of First and Last
}

// Summarize returns the summary of rs: readings of one series in the order of time, with finite values. The same
// readings give the same bits, on every machine. Safe for concurrent use.
//
// It takes two passes, the second around the mean: that is both more accurate than Welford's one pass and, without its
// division a reading, several times faster, since the readings are in memory anyway. (T. F. Chan, G. H. Golub,
// R. J. LeVeque, "Algorithms for Computing the Sample Variance", The American Statistician 37:3, 1983: the corrected
// two-pass algorithm, their equation 1.7.)
func Summarize(rs []reading.Reading) Summary {
	if len(rs) == 0 {
		return Summary{}
	}
	first, last := rs[0], rs[len(rs)-1]
	s := Summary{Count: len(rs), First: first.Value, FirstAt: first.Time, Last: last.Value, LastAt: last.Time}
	s.Sum, s.Min, s.Max = total(rs)
	s.M2 = spread(rs, s.Sum/float64(len(rs)))
	return s
}

// total returns the sum and the extremes of rs. Four sums side by side do not wait for each other.
func total(rs []reading.Reading) (sum, low, high float64) {
	low, high = extremes(rs)
	var a, b, c, d float64
	rest := rs
	for ; len(rest) >= 4; rest = rest[4:] {
		a += rest[0].Value
		b += rest[1].Value
		c += rest[2].Value
		d += rest[3].Value
	}
	for i := range rest {
		a += rest[i].Value
	}
	sum = (a + b) + (c + d)
	if math.IsInf(sum, 0) || math.IsNaN(sum) {
		sum = scaledTotal(rs)
	}
	return sum, low, high
}

// extremes compares by hand: the built-in min and max look for NaN and -0, and take several times longer.
func extremes(rs []reading.Reading) (low, high float64) {
	low, high = rs[0].Value, rs[0].Value
	for i := range rs {
		v := rs[i].Value
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}

// scaledTotal is the sum of values of which some partial sum is beyond float64: without it, +Inf and -Inf could meet.
func scaledTotal(rs []reading.Reading) float64 {
	const scale = 1 << 62
	var sum float64
	for i := range rs {
		sum += rs[i].Value / scale
	}
	return sum * scale
}

// spread returns the sum of the squared distances to mean. The conversions forbid fused multiplication and addition,
// which would differ between machines.
func spread(rs []reading.Reading, mean float64) float64 {
	var a, b, c, d float64     // sums of squares
	var ea, eb, ec, ed float64 // sums of distances: 0, were mean exact
	rest := rs
	for ; len(rest) >= 4; rest = rest[4:] {
		w, x, y, z := rest[0].Value-mean, rest[1].Value-mean, rest[2].Value-mean, rest[3].Value-mean
		a += float64(w * w)
		b += float64(x * x)
		c += float64(y * y)
		d += float64(z * z)
		ea += w
		eb += x
		ec += y
		ed += z
	}
	for i := range rest {
		w := rest[i].Value - mean
		a += float64(w * w)
		ea += w
	}
	e := (ea + eb) + (ec + ed)
	return clean((a + b) + (c + d) - float64(e*e)/float64(len(rs)))
}

// clean keeps rounding from making a sum of squares negative, and overflow from making it no number.
func clean(m2 float64) float64 {
	if math.IsNaN(m2) {
		return math.Inf(1)
	}
	return max(m2, 0)
}

// Merge returns the summary of the readings of both. later's readings come behind those of s, or belong to another
// series: then First and Last are those of the earliest and the latest time.
//
// M2 is put together as in T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for
// Computing Sample Variances", 1979, equation 2.1b.
func (s Summary) Merge(later Summary) Summary {
	switch {
	case later.Count == 0:
		return s
	case s.Count == 0:
		return later
	}
	n, m := float64(s.Count), float64(later.Count)
	apart := later.Sum/m - s.Sum/n
	s.M2 = clean(s.M2 + later.M2 + float64(float64(apart*apart)*(n*m/(n+m))))
	s.Count += later.Count
	s.Sum += later.Sum
	s.Min, s.Max = min(s.Min, later.Min), max(s.Max, later.Max)
	if later.FirstAt < s.FirstAt {
		s.First, s.FirstAt = later.First, later.FirstAt
	}
	if later.LastAt >= s.LastAt {
		s.Last, s.LastAt = later.Last, later.LastAt
	}
	return s
}

// Plain returns what there is of s where a Need is Plain.
func (s Summary) Plain() Summary {
	return Summary{Count: s.Count, Sum: s.Sum, Min: s.Min, Max: s.Max}
}

// Mean returns the mean of the readings, NaN of none.
func (s Summary) Mean() float64 {
	return s.Sum / float64(s.Count)
}
