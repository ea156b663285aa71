package stats

import "slices"

// Bin is a bin of a histogram: how many values lie from From (inclusive) to To (exclusive, but for the last bin).
type Bin struct {
	From, To float64
	Count    int64
}

// Histogram returns how the values of b lie in so many bins of equal width from low to high, which are the least and the
// greatest value unless given. Values beyond are in no bin; a value on the edge of two is in the higher one. Where low
// equals high, there is one bin of no width; none where there are no readings, bins is not positive, low is greater than
// high or one of them is not finite.
//
// It is exact, or counts readings by the middle of the bin that a sketch has put them into (Bucket.Exact). It needs the
// values.
func Histogram(b *Bucket, bins int, low, high *float64) []Bin {
	if b.Empty() || b.Values.Count() == 0 || bins < 1 {
		return nil
	}
	from, to := b.Summary.Min, b.Summary.Max
	if low != nil {
		from = *low
	}
	if high != nil {
		to = *high
	}
	switch {
	case !finite(from) || !finite(to) || from > to:
		return nil
	case from == to:
		bins = 1
	}
	histogram := emptyBins(bins, from, to)
	b.Values.each(func(value float64, count int64) {
		if value >= from && value <= to {
			histogram[binOf(histogram, value)].Count += count
		}
	})
	return histogram
}

func emptyBins(n int, from, to float64) []Bin {
	bins := make([]Bin, n)
	edge := from
	for i := range bins {
		bins[i].From = edge
		edge = between(from, to, float64(i+1)/float64(n))
		bins[i].To = edge
	}
	bins[n-1].To = to // exactly
	return bins
}

// binOf returns the bin of a value that is in one. It guesses, then looks at the edges: dividing rounds.
func binOf(bins []Bin, value float64) int {
	last := len(bins) - 1
	from, to := bins[0].From, bins[last].To
	if from == to {
		return 0
	}
	at := min(int(shareOf(from, to, value)*float64(len(bins))), last)
	if value >= bins[at].From && (value < bins[at].To || at == last) {
		return at
	}
	at, found := slices.BinarySearchFunc(bins, value, func(bin Bin, v float64) int {
		switch {
		case bin.From < v:
			return -1
		case bin.From > v:
			return 1
		}
		return 0
	})
	if !found {
		at--
	}
	for at < last && bins[at+1].From == value { // bins of no width, where float64 has no numbers between the edges
		at++
	}
	return at
}
