package stats

import (
	"math"

	"github.com/readout-dev/readout/reading"
)

// measure computes Seconds, Area and Increase of the line through rs.
func (l *Line) measure(rs []reading.Reading) {
	var covered int64
	var area, increase float64
	at, value := rs[0].Time, rs[0].Value
	half := value / 2
	for i := 1; i < len(rs); i++ {
		nextAt, next := rs[i].Time, rs[i].Value
		nextHalf := next / 2 // value + next may be beyond float64
		if width := nextAt - at; width <= MaxGap {
			covered += width
			area += float64((half + nextHalf) * float64(width))
			increase += next - counted(value, next)
		}
		at, value, half = nextAt, next, nextHalf
	}
	l.Seconds, l.Area, l.Increase = seconds(covered), area/1e6, increase
}

// counted returns what a counter that shows next after value had counted before: value, or 0 when it has begun anew.
// It is value where next - value is not negative, without a branch, which on a noisy gauge takes longer than all the
// rest.
func counted(value, next float64) float64 {
	fell := uint64(int64(math.Float64bits(next-value)) >> 63)
	return math.Float64frombits(math.Float64bits(value) &^ fell)
}

// compare computes Above and Below of the line through rs.
func (l *Line) compare(rs []reading.Reading) {
	if len(l.Thresholds) == 0 {
		return
	}
	l.Above, l.Below = make([]float64, len(l.Thresholds)), make([]float64, len(l.Thresholds))
	for i := 1; i < len(rs); i++ {
		s := segment{rs[i-1].Time, rs[i].Time, rs[i-1].Value, rs[i].Value}
		if s.gap() {
			continue
		}
		for k, x := range l.Thresholds {
			l.Above[k] += s.above(x)
			l.Below[k] += s.below(x)
		}
	}
}
