package stats

// Min is the least value.
func Min(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.Min)
}
