package stats

// Statistic computes one number of a bucket. ok is false where there is none: no readings, too few of them, no finite
// number, or what it needs was not collected. v is finite, and 0 unless ok. A nil bucket is one without readings.
type Statistic func(b *Bucket) (v float64, ok bool)

// some is v, unless that is no finite number.
func some(v float64) (float64, bool) {
	if !finite(v) {
		return 0, false
	}
	return v, true
}
