package stats

import "slices"

// JoinLines divides the line through all the readings of one series among buckets: bucket i reaches from bounds[i]
// (inclusive) to bounds[i+1] (exclusive). Lines are in the order of time, have these thresholds, and none crosses a
// bound; those outside the bounds only lend the segment that reaches in. A segment that crosses a bound is cut there:
// each bucket has its share, the area by interpolation, the increase by time, so what neighbouring buckets measure adds up.
//
// Add is called once for each bucket with readings or a piece of the line, in ascending order. In those without readings
// t.Series is 0, else 1. The slices of t are good until add returns: LineTotal.Merge copies them.
func JoinLines(lines []Line, bounds []int64, thresholds []float64, add func(bucket int, t LineTotal)) {
	if len(bounds) < 2 {
		return
	}
	j := joiner{bounds: bounds, add: add}
	j.total.Thresholds = thresholds
	j.total.Above, j.total.Below = make([]float64, len(thresholds)), make([]float64, len(thresholds))
	var last *Line
	for i := range lines {
		if lines[i].Readings == 0 {
			continue
		}
		if last != nil {
			j.addSegment(segment{last.LastAt, lines[i].FirstAt, last.Last, lines[i].First})
		}
		j.addLine(&lines[i])
		last = &lines[i]
	}
	j.flush()
}

// joiner sums up one bucket after the other.
type joiner struct {
	bounds []int64
	add    func(bucket int, t LineTotal)

	bucket int // the one of total
	total  LineTotal
	first  float64 // its first reading, where total.Series is 1
}

func (j *joiner) addLine(l *Line) {
	if !j.seek(l.FirstAt) {
		return
	}
	t := &j.total
	if t.Series == 0 {
		t.Series, j.first = 1, l.First
	}
	t.Delta = l.Last - j.first
	t.Seconds += l.Seconds
	t.Area += l.Area
	t.Increase += l.Increase
	for i := range t.Thresholds {
		t.Above[i] += l.Above[i]
		t.Below[i] += l.Below[i]
	}
}

func (j *joiner) addSegment(s segment) {
	if s.gap() {
		return
	}
	for from := max(s.from, j.bounds[0]); from < s.to && j.seek(from); {
		to := min(s.to, j.bounds[j.bucket+1])
		j.addPart(s, from, to)
		from = to
	}
}

func (j *joiner) addPart(s segment, from, to int64) {
	t, part := &j.total, s.part(from, to)
	t.Seconds += part.seconds()
	t.Area += part.area()
	t.Increase += float64(s.increase() * (float64(to-from) / float64(s.to-s.from)))
	for i, x := range t.Thresholds {
		t.Above[i] += part.above(x)
		t.Below[i] += part.below(x)
	}
}

// seek makes the bucket of the time, which is not before it, that of total, and reports whether there is one.
func (j *joiner) seek(t int64) bool {
	if t < j.bounds[0] || t >= j.bounds[len(j.bounds)-1] {
		return false
	}
	if t < j.bounds[j.bucket+1] {
		return true
	}
	j.flush()
	j.bucket++
	if t >= j.bounds[j.bucket+1] {
		ahead, found := slices.BinarySearch(j.bounds[j.bucket:], t)
		if j.bucket += ahead; !found {
			j.bucket--
		}
	}
	return true
}

// flush hands out the total and begins a new one.
func (j *joiner) flush() {
	t := &j.total
	if t.Seconds > 0 {
		t.Rate = t.Increase / t.Seconds
	}
	if t.Series > 0 || t.Seconds > 0 {
		j.add(j.bucket, *t)
	}
	clear(t.Above)
	clear(t.Below)
	*t = LineTotal{Thresholds: t.Thresholds, Above: t.Above, Below: t.Below}
}
