package stats

import "math"

// StdDev is the sample standard deviation of the values: the square root of Variance.
func StdDev(b *Bucket) (v float64, ok bool) {
	variance, ok := Variance(b)
	return math.Sqrt(variance), ok
}
