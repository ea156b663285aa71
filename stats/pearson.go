package stats

import (
	"math"
	"slices"
)

// Pearson returns the correlation coefficient of pairs of finite numbers, from -1 to 1: their covariance divided by the
// product of their standard deviations (K. Pearson, "Note on Regression and Inheritance in the Case of Two Parents",
// Proceedings of the Royal Society of London 58, 1895), in two passes. xs and ys are equally long. ok is false for fewer
// than two pairs, and when all xs or all ys are equal.
func Pearson(xs, ys []float64) (r float64, ok bool) {
	if len(xs) < 2 || slices.Min(xs) == slices.Max(xs) || slices.Min(ys) == slices.Max(ys) {
		return 0, false
	}
	x, y := centre(xs), centre(ys)
	var xx, yy, xy float64
	for i := range x {
		xx += float64(x[i] * x[i])
		yy += float64(y[i] * y[i])
		xy += float64(x[i] * y[i])
	}
	if r, ok = some(xy / (math.Sqrt(xx) * math.Sqrt(yy))); !ok {
		return 0, false
	}
	return min(max(r, -1), 1), true
}

// centre returns the distances of vs to their mean, in a unit in which no square is beyond float64, or lost.
func centre(vs []float64) []float64 {
	_, exponent := math.Frexp(max(math.Abs(slices.Min(vs)), math.Abs(slices.Max(vs))))
	ds := make([]float64, len(vs))
	var sum float64
	for i, v := range vs {
		ds[i] = math.Ldexp(v, -exponent)
		sum += ds[i]
	}
	mean := sum / float64(len(vs))
	for i := range ds {
		ds[i] -= mean
	}
	return ds
}
