package stats

// Distinct returns the statistic that is how many distinct values of the label the series with readings have: with a
// series for each visitor's address, the visitors. It needs the label.
func Distinct(label string) Statistic {
	return func(b *Bucket) (v float64, ok bool) {
		if b.Empty() {
			return 0, true
		}
		return float64(len(b.Labels[label])), b.Labels != nil // 0, where no series has the label
	}
}
