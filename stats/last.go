package stats

// Last is the value of the latest reading; of several series' at the same time, that of one of them.
func Last(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.Last)
}
