package stats

// TimeWeightedMean is the mean of the line through the readings over the time it covers in the bucket: each value counts
// as long as it lasted, so bursts of readings weigh no more than lone ones (the linear method of historians and of
// time_weight in TimescaleDB's toolkit). It may lie beyond the least and the greatest reading in the bucket, since the
// line comes from outside. It needs the line.
func TimeWeightedMean(b *Bucket) (v float64, ok bool) {
	if !b.covered() {
		return 0, false
	}
	return some(b.Line.Area / b.Line.Seconds)
}
