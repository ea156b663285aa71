package stats

import "github.com/readout-dev/readout/reading"

// MaxGap is how far apart neighbouring readings of a series may be, in µs, that the line through them goes from one to
// the other: 24 h. Beyond that nothing is known of the time between.
const MaxGap = 24 * 60 * 60 * 1_000_000

// Line is the line through the readings of one series in a stretch of time: straight from each to its next, and nothing
// where that is farther away than MaxGap. The zero value is the line through none.
//
// A value that is never changed: copies share their slices.
type Line struct {
	Readings        int   // how many it goes through
	FirstAt, LastAt int64 // µs since 1970, times of First and Last
	First, Last     float64

	Seconds  float64 // how much time it covers: all but the gaps
	Area     float64 // under it, by the trapezoidal rule: value × s; ±Inf or NaN beyond float64
	Increase float64 // what a counter that it shows has counted: the sum of its rises, and at each fall, where it began anew, its value

	Thresholds   []float64 // ascending and distinct
	Above, Below []float64 // by threshold, for how many seconds the line is above and below it
}

// NewLine returns the line through rs: readings of one series in the order of time, with finite values. Thresholds are
// ascending and distinct, and stay the caller's, who does not change them. The same readings give the same bits, on
// every machine. Safe for concurrent use.
func NewLine(rs []reading.Reading, thresholds []float64) Line {
	if len(rs) == 0 {
		return Line{Thresholds: thresholds}
	}
	first, last := rs[0], rs[len(rs)-1]
	l := Line{
		Readings: len(rs), FirstAt: first.Time, First: first.Value, LastAt: last.Time, Last: last.Value,
		Thresholds: thresholds,
	}
	l.measure(rs)
	l.compare(rs)
	return l
}

// LineOf returns the line of a rollup: the readings of s are of one series and nowhere farther apart than MaxGap, as it
// must be within a day; area and increase are those of their line.
func LineOf(s Summary, area, increase float64) Line {
	return Line{
		Readings: s.Count, FirstAt: s.FirstAt, First: s.First, LastAt: s.LastAt, Last: s.Last,
		Seconds: seconds(s.LastAt - s.FirstAt), Area: area, Increase: increase,
	}
}

// Append returns the line through the readings of both: next's come behind those of l, and it has the same thresholds.
func (l Line) Append(next Line) Line {
	switch {
	case next.Readings == 0:
		return l
	case l.Readings == 0:
		return next
	}
	joint := segment{l.LastAt, next.FirstAt, l.Last, next.First}
	l.Readings += next.Readings
	l.Last, l.LastAt = next.Last, next.LastAt
	l.Seconds += next.Seconds
	l.Area += next.Area
	l.Increase += next.Increase
	l.Above, l.Below = sums(l.Above, next.Above), sums(l.Below, next.Below)
	if !joint.gap() {
		l.add(joint)
	}
	return l
}

// add adds what s measures. Above and Below are l's own.
func (l *Line) add(s segment) {
	l.Seconds += s.seconds()
	l.Area += s.area()
	l.Increase += s.increase()
	for i, x := range l.Thresholds {
		l.Above[i] += s.above(x)
		l.Below[i] += s.below(x)
	}
}

// sums adds up number by number into a new slice.
func sums(a, b []float64) []float64 {
	if len(a) == 0 {
		return nil
	}
	sum := make([]float64, len(a))
	for i := range a {
		sum[i] = a[i] + b[i]
	}
	return sum
}
