package stats

// First is the value of the earliest reading; of several series' at the same time, that of one of them.
func First(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.First)
}
