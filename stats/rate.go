package stats

// Rate is how fast a counter counts, per second: its increase, with its restarts, divided by the time that the line
// through its readings covers in the bucket; of several series the sum of that of each. It needs the line.
//
// A fall is a restart, from which the counter begins at 0 again: the increase is that of Prometheus' increase(), without
// its extrapolation beyond the readings (prometheus.io, "Query functions"): what crosses the bounds of the bucket is
// divided by time instead, so that no increase is counted twice or lost.
func Rate(b *Bucket) (v float64, ok bool) {
	if !b.covered() {
		return 0, false
	}
	return some(b.Line.Rate)
}

// covered reports whether there are readings and a line covers time.
func (b *Bucket) covered() bool { return !b.Empty() && b.Line.Seconds > 0 }
