package reading

import "math"

// The values of readings at rest. Those of a run with a scale are integers: a value is its integer divided by ten to the
// power of the scale, in float64 arithmetic.
//
//	starts   column  of each run of integers: its first integer, or its level, which is one in the middle
//	changes  column  of each further integer the distance to the one before; in a run with a level, of each integer to it
//	others   column of words: of each value of the other runs its bits XOR those of the value before it in the column
//	patches  varint, how many values are not what the above says: -0 among numbers, or the odd 0.30000000000000004; then
//	         the column of the distances from each of their places to the next (of the first: from 0), and the column of
//	         words of their bits

// integers sets the numbers of run i to its values as integers of a power of ten, and returns that: the least one that
// holds them all exactly, unless the run is short and scale, that of the run before, is not much greater; one power for
// all runs makes their first integers alike. It returns false where there is none.
func (s *restSpace) integers(rs []Reading, i, scale int) (power int, ok bool) {
	from, to := s.starts[i], s.starts[i+1]
	run, numbers := rs[from:to], s.numbers[from:to]
	if scaled(numbers, run, scale) {
		return reduced(numbers, scale), true
	}
	if power, ok = leastScale(numbers, run); ok {
		return power, true
	}
	return s.scaleOfMost(run, from)
}

// enough is the length of a run that gets what suits it best.
const enough = 16

// reduced divides numbers by ten, and makes their scale less, as often as it goes; in a short run only if it goes often.
func reduced(numbers []int64, scale int) int {
	const often = 3
	if len(numbers) < enough && (scale < often || !divisible(numbers, 1000)) {
		return scale
	}
	for scale > 0 && divideByTen(numbers) {
		scale--
	}
	return scale
}

func leastScale(dst []int64, run []Reading) (power int, ok bool) {
	for power = range maxScale + 1 {
		if scaled(dst, run, power) {
			return power, true
		}
	}
	return 0, false
}

// scaleOfMost is leastScale where it may leave one reading in sixteen out: it adds the places of those to s.misfits. from
// is the place of the run's first.
func (s *restSpace) scaleOfMost(run []Reading, from int32) (power int, ok bool) {
	numbers := s.numbers[from:][:len(run)]
	kept := len(s.misfits)
	for power = range maxScale + 1 {
		s.misfits = s.misfits[:kept]
		var last int64
		for j := range run {
			n, exact := nearest(run[j].Value, powers[power], last)
			if !exact {
				if len(s.misfits)-kept == len(run)/16 {
					break
				}
				s.misfits = append(s.misfits, int64(from)+int64(j))
			}
			numbers[j], last = n, n
			if j == len(run)-1 {
				return power, true
			}
		}
	}
	s.misfits = s.misfits[:kept]
	return 0, false
}

// nearest returns v times power as the nearest integer, and whether that divides back to the same bits; otherwise where
// there is none that float64 tells from its neighbours.
func nearest(v, power float64, otherwise int64) (n int64, exact bool) {
	x := float64(v * power)
	if !(math.Abs(x) < maxExact) {
		return otherwise, false
	}
	n = int64(x + math.Copysign(0.5, x))
	return n, math.Float64bits(float64(n)/power) == math.Float64bits(v)
}

func divisible(ns []int64, by int64) bool {
	for _, n := range ns {
		if n%by != 0 {
			return false
		}
	}
	return true
}

// level reports whether numbers lie nearer to their middle than to each other.
func level(numbers []int64) bool {
	if len(numbers) < enough {
		return false
	}
	var wandered uint64
	last := numbers[0]
	for _, n := range numbers {
		wandered += magnitude(n - last)
		last = n
	}
	apart := distances(numbers, roughMiddle(numbers))
	if apart >= wandered && apart/2 < wandered {
		apart = distances(numbers, middle(numbers))
	}
	return apart < wandered
}

// distances returns the sum of the distances of numbers to center.
func distances(numbers []int64, center int64) (sum uint64) {
	for _, n := range numbers {
		sum += magnitude(n - center)
	}
	return sum
}

// roughMiddle returns the median of five of the numbers, of which there are enough: it takes a tenth of the time of middle,
// which is more than all else that is done to a short run, and says as well of most runs whether they have a level.
func roughMiddle(ns []int64) int64 {
	n := len(ns)
	a, b, c, d, e := ns[n/10], ns[3*n/10], ns[n/2], ns[7*n/10], ns[9*n/10]
	a, b = min(a, b), max(a, b)
	c, d = min(c, d), max(c, d)
	// The least and the greatest of these four are not the median: it is that of the other two and e.
	c, b = max(a, c), min(b, d)
	b, c = min(b, c), max(b, c)
	return max(b, min(c, e))
}

// appendValues appends the values.
func (s *restSpace) appendValues(b []byte, rs []Reading) []byte {
	s.column, s.column2 = s.column[:0], s.column2[:0]
	s.words = s.words[:0]
	for i, head := range s.heads {
		numbers := s.numbers[s.starts[i]:s.starts[i+1]]
		switch {
		case head>>headScale == scaleNone:
		case head&headLevel != 0:
			center := middle(numbers)
			s.column = append(s.column, center)
			for _, n := range numbers {
				s.column2 = append(s.column2, n-center)
			}
		default:
			last := numbers[0]
			s.column = append(s.column, last)
			for _, n := range numbers[1:] {
				s.column2 = append(s.column2, n-last)
				last = n
			}
		}
	}
	b = s.appendColumn(b, s.column)
	b = s.appendColumn(b, s.column2)
	b = s.appendOthers(b, rs)
	return s.appendPatches(b, rs)
}

func (s *restSpace) appendOthers(b []byte, rs []Reading) []byte {
	words := s.words[:0]
	var last uint64
	for i, head := range s.heads {
		if head>>headScale != scaleNone {
			continue
		}
		for _, r := range rs[s.starts[i]:s.starts[i+1]] {
			v := math.Float64bits(r.Value)
			words = append(words, v^last)
			last = v
		}
	}
	s.words = words
	return s.appendWords(b, words)
}

func (s *restSpace) appendPatches(b []byte, rs []Reading) []byte {
	s.column = s.column[:0]
	var last int64
	for _, at := range s.misfits {
		s.column = append(s.column, at-last)
		last = at
	}
	b = appendUvarint(b, uint64(len(s.misfits)))
	b = s.appendColumn(b, s.column)
	words := s.words[:0] // which appendColumn has used
	for _, at := range s.misfits {
		words = append(words, math.Float64bits(rs[at].Value))
	}
	s.words = words
	return s.appendWords(b, words)
}

// decodeValues sets the value of every reading; false when values are missing or a head is none.
func (s *restSpace) decodeValues(c *cursor, rs []Reading) bool {
	starts, changes, others := 0, 0, 0
	for i, head := range s.heads {
		n := int(s.starts[i+1] - s.starts[i])
		switch scale := head >> headScale; {
		case scale == scaleNone && head&headLevel == 0:
			others += n
		case scale < 0 || scale > maxScale:
			return false
		case head&headLevel != 0:
			starts++
			changes += n
		default:
			starts++
			changes += n - 1
		}
	}
	s.column = s.readColumn(c, s.column, starts)
	s.column2 = s.readColumn(c, s.column2, changes)
	s.words = readWords(c, s.words, others)
	if c.failed {
		return false
	}
	s.placeValues(rs)
	return s.patchValues(c, rs)
}

func (s *restSpace) patchValues(c *cursor, rs []Reading) bool {
	n := c.uvarint()
	if n > uint64(len(rs)) {
		return false
	}
	s.column = s.readColumn(c, s.column, int(n))
	s.words = readWords(c, s.words, int(n))
	at := int64(0)
	for i, gap := range s.column {
		if gap < 0 || gap >= int64(len(rs))-at {
			return false
		}
		at += gap
		rs[at].Value = math.Float64frombits(s.words[i])
	}
	return !c.failed
}

// placeValues makes values of s.column (starts), s.column2 (changes) and s.words (others).
func (s *restSpace) placeValues(rs []Reading) {
	starts, changes, others := s.column, s.column2, s.words
	var last uint64
	for i, head := range s.heads {
		run := rs[s.starts[i]:s.starts[i+1]]
		if head>>headScale == scaleNone {
			for j := range run {
				last ^= others[j]
				run[j].Value = math.Float64frombits(last)
			}
			others = others[len(run):]
			continue
		}
		power := powers[head>>headScale]
		n := starts[0]
		starts = starts[1:]
		if head&headLevel != 0 {
			for j, change := range changes[:len(run)] {
				run[j].Value = float64(n+change) / power
			}
			changes = changes[len(run):]
			continue
		}
		run[0].Value = float64(n) / power
		rest := run[1:]
		for j, change := range changes[:len(rest)] {
			n += change
			rest[j].Value = float64(n) / power
		}
		changes = changes[len(rest):]
	}
}
