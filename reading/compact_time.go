package reading

import "slices"

// The times of readings at rest, of all runs that have times of their own, in µs.
//
//	firsts  column  the first time of each run
//	steps   column  from each reading to the next of its run
//
// Steps are not taken from each other: clocks that jitter around a beat, which most do, make the difference of two steps
// wider than a step.

// appendTimes appends the times.
func (s *restSpace) appendTimes(b []byte, rs []Reading) []byte {
	firsts, steps := s.column[:0], slices.Grow(s.column2[:0], len(rs))
	for i, head := range s.heads {
		if head&headSameTimes != 0 {
			continue
		}
		run := rs[s.starts[i]:s.starts[i+1]]
		before := run[0].Time
		firsts = append(firsts, before)
		for j := range run[1:] {
			t := run[1+j].Time
			steps = append(steps, t-before)
			before = t
		}
	}
	s.column, s.column2 = firsts, steps
	b = s.appendColumn(b, firsts)
	return s.appendColumn(b, steps)
}

// decodeTimes sets the time of every reading; false when times are missing or do not ascend within a run.
func (s *restSpace) decodeTimes(c *cursor, rs []Reading) bool {
	firsts, steps := 0, 0
	for i, head := range s.heads {
		if head&headSameTimes == 0 {
			firsts++
			steps += int(s.starts[i+1]-s.starts[i]) - 1
		}
	}
	s.column = s.readColumn(c, s.column, firsts)
	s.column2 = s.readColumn(c, s.column2, steps)
	return !c.failed && s.placeTimes(rs)
}

// placeTimes makes times of s.column (firsts) and s.column2 (steps).
func (s *restSpace) placeTimes(rs []Reading) bool {
	firsts, steps := s.column, s.column2
	var before []Reading
	for i, head := range s.heads {
		run := rs[s.starts[i]:s.starts[i+1]]
		if head&headSameTimes != 0 {
			if len(before) != len(run) {
				return false
			}
			for j := range run {
				run[j].Time = before[j].Time
			}
		} else {
			run[0].Time = firsts[0]
			if !walk(run[1:], firsts[0], steps[:len(run)-1]) {
				return false
			}
			firsts, steps = firsts[1:], steps[len(run)-1:]
		}
		before = run
	}
	return true
}

// walk sets the times of rs, each a step after the one before; false unless they ascend.
func walk(rs []Reading, t int64, steps []int64) bool {
	for i, step := range steps {
		next := t + step
		if next <= t { // no step, or past the end of int64
			return false
		}
		rs[i].Time = next
		t = next
	}
	return true
}
