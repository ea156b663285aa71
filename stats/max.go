package stats

// Max is the greatest value.
func Max(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.Max)
}
