package stats

// Delta is the last value less the first one, both in the bucket; of several series the sum of that of each. It needs the
// line, but for one series.
func Delta(b *Bucket) (v float64, ok bool) {
	switch {
	case b.Empty():
		return 0, false
	case b.Series == 1:
		return some(b.Summary.Last - b.Summary.First)
	case b.Line.Series == 0:
		return 0, false
	}
	return some(b.Line.Delta)
}
