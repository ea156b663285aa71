package stats

// Mean is the arithmetic mean of the values, each counting the same, however long it lasted (TimeWeightedMean). Rounding
// never takes it beyond the least or the greatest value.
func Mean(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	mean, ok := some(b.Summary.Mean())
	if !ok {
		return 0, false
	}
	return min(max(mean, b.Summary.Min), b.Summary.Max), true
}
