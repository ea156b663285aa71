package stats

// Count is how many readings there are: 0, and not nothing, where there are none.
func Count(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, true
	}
	return float64(b.Summary.Count), true
}
