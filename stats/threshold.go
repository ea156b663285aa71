package stats

import "slices"

// Above returns the statistic that is for how many seconds the line through the readings is above x; of several series
// the sum. Where it crosses x between two readings is interpolated. It needs the line with the threshold.
func Above(x float64) Statistic {
	return func(b *Bucket) (v float64, ok bool) {
		return b.beside(x, func(t *LineTotal) []float64 { return t.Above })
	}
}

// Below returns the statistic that is for how many seconds the line is below x: Above upside down.
func Below(x float64) Statistic {
	return func(b *Bucket) (v float64, ok bool) {
		return b.beside(x, func(t *LineTotal) []float64 { return t.Below })
	}
}

func (b *Bucket) beside(x float64, side func(*LineTotal) []float64) (v float64, ok bool) {
	if !b.covered() {
		return 0, false
	}
	at, found := slices.BinarySearch(b.Line.Thresholds, x)
	if !found {
		return 0, false
	}
	return some(side(&b.Line)[at])
}
