package stats

// Variance is the sample variance of the values: the sum of their squared distances to their mean, divided by one less
// than their number, which makes it unbiased (F. W. Bessel). Nothing for fewer than two readings, 0 for equal ones. How it
// is computed without losing digits says Summarize.
func Variance(b *Bucket) (v float64, ok bool) {
	switch {
	case b.Empty() || b.Summary.Count < 2:
		return 0, false
	case b.Summary.Min == b.Summary.Max:
		return 0, true
	}
	return some(b.Summary.M2 / float64(b.Summary.Count-1))
}
