package stats

import "math"

// segment is the straight line from one reading, or cut, to the next.
type segment struct {
	from, to    int64 // µs since 1970
	first, last float64
}

// gap reports whether the readings are too far apart: then there is no line.
func (s segment) gap() bool { return s.to-s.from > MaxGap }

func (s segment) seconds() float64 { return seconds(s.to - s.from) }

func (s segment) area() float64 {
	return float64((s.first/2+s.last/2)*float64(s.to-s.from)) / 1e6
}

func (s segment) increase() float64 { return s.last - counted(s.first, s.last) }

// above returns how many seconds s is above x.
func (s segment) above(x float64) float64 {
	low, high := min(s.first, s.last), max(s.first, s.last)
	switch {
	case low > x:
		return s.seconds()
	case high <= x:
		return 0
	}
	return s.seconds() * shareOf(high, low, x)
}

// below returns how many seconds s is below x.
func (s segment) below(x float64) float64 {
	low, high := min(s.first, s.last), max(s.first, s.last)
	switch {
	case high < x:
		return s.seconds()
	case low >= x:
		return 0
	}
	return s.seconds() * shareOf(low, high, x)
}

// part returns what of s lies between two times within it.
func (s segment) part(from, to int64) segment {
	return segment{from, to, s.at(from), s.at(to)}
}

// at returns the value of s at a time within it.
func (s segment) at(t int64) float64 {
	switch t {
	case s.from:
		return s.first
	case s.to:
		return s.last
	}
	return between(s.first, s.last, float64(t-s.from)/float64(s.to-s.from))
}

// shareOf returns which share of the way from a to b, which differ, lies before x, which is between them.
func shareOf(a, b, x float64) float64 {
	share := (x - a) / (b - a)
	if math.IsInf(b-a, 0) {
		share = (x/2 - a/2) / (b/2 - a/2)
	}
	return min(max(share, 0), 1)
}

func seconds(micros int64) float64 { return float64(micros) / 1e6 }
