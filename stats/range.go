package stats

// Range is the distance between the least and the greatest value.
func Range(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.Max - b.Summary.Min)
}
