package stats

// Integral is the area under the line through the readings by the trapezoidal rule, in the unit of the values times
// hours: kW give kWh. It needs the line.
func Integral(b *Bucket) (v float64, ok bool) {
	if !b.covered() {
		return 0, false
	}
	return some(b.Line.Area / 3600)
}
