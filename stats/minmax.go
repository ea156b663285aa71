package stats

import "github.com/readout-dev/readout/reading"

// MinMax thins rs, readings of one series in the order of time, to at most n: the first, the last, and of each of
// (n-2)/2 buckets of equal width in time the least and the greatest, in the order of time; of equal ones the earliest.
// So no extreme is lost, and a chart of n/2 columns looks as if it were of all readings (U. Jugel and others, "M4: A
// Visualization-Oriented Time Series Data Aggregation", PVLDB 7:10, 2014, which adds first and last to each bucket).
//
// It returns rs itself when that has at most n readings, only the first and the last for n = 2 and 3, nothing but the
// first for n = 1, and nothing for less. Safe for concurrent use. Where the readings come in pieces, see Extremes.
func MinMax(rs []reading.Reading, n int) []reading.Reading {
	if few, done := fewOf(rs, n); done {
		return few
	}
	e := NewExtremes(rs[0].Time, rs[len(rs)-1].Time, n)
	e.Add(rs)
	return e.Readings()
}
