package stats

// Sum is the sum of the values; that of none is nothing, as in SQL.
func Sum(b *Bucket) (v float64, ok bool) {
	if b.Empty() {
		return 0, false
	}
	return some(b.Summary.Sum)
}
