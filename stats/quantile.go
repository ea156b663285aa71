package stats

// Quantile returns the statistic that is the value below which a share q of the readings lies, q from 0 to 1: by
// definition 7 of Hyndman and Fan, which is percentile_cont of SQL. It is exact, or within Accuracy (Bucket.Exact), and
// never beyond the least or the greatest value. It needs the values.
func Quantile(q float64) Statistic {
	return func(b *Bucket) (v float64, ok bool) {
		if b.Empty() {
			return 0, false
		}
		return some(b.Values.Quantile(q))
	}
}

// Median is the quantile of 0.5: half of the readings lie below it.
func Median(b *Bucket) (v float64, ok bool) { return median(b) }

var median = Quantile(0.5)
