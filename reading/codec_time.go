package reading

import "math/bits"

// How the times of a run are written: bits 0–1 of its head. A run's first time is a signed varint, the distance to the
// first time of the run before it (of the first run: to 0).
const (
	timesSame    = 0 // nothing: as many readings as the run before, at the same times
	timesRegular = 1 // first; step (varint) when there is more than one reading
	timesUneven  = 2 // first; unit (varint); first step in units (varint); then the signed change of each step, in units
)

const timesMask = 3

// appendTimes appends the times of every run to b and notes in its head, b[heads+i], how they are written.
func (s *scratch) appendTimes(b []byte, heads int, rs []Reading) []byte {
	var before []Reading
	var origin int64
	for i := range len(s.starts) - 1 {
		run := rs[s.starts[i]:s.starts[i+1]]
		if sameTimes(run, before) {
			b[heads+i] = timesSame
		} else {
			b = appendUvarint(b, zigzag(run[0].Time-origin))
			var how byte
			b, how = appendSteps(b, run)
			b[heads+i] = how
		}
		before, origin = run, run[0].Time
	}
	return b
}

func sameTimes(a, b []Reading) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Time != b[i].Time {
			return false
		}
	}
	return true
}

// appendSteps appends what follows a run's first time, and returns how it is written.
func appendSteps(b []byte, run []Reading) ([]byte, byte) {
	if len(run) == 1 {
		return b, timesRegular
	}
	unit, regular := stepUnit(run)
	if regular {
		return appendUvarint(b, unit), timesRegular
	}
	b = appendUvarint(b, unit)
	var last uint64
	for i := 1; i < len(run); i++ {
		step := uint64(run[i].Time - run[i-1].Time)
		if unit != 1 {
			step /= unit
		}
		if i == 1 {
			b = appendUvarint(b, step)
		} else {
			b = appendUvarint(b, zigzag(int64(step-last)))
		}
		last = step
	}
	return b, timesUneven
}

// stepUnit returns the greatest common divisor of the steps between a run's times, and whether they are all equal.
func stepUnit(run []Reading) (unit uint64, regular bool) {
	first := uint64(run[1].Time - run[0].Time)
	unit, regular = first, true
	last := first
	for i := 2; i < len(run) && unit != 1; i++ {
		step := uint64(run[i].Time - run[i-1].Time)
		if step == last {
			continue
		}
		regular, last = false, step
		if step%unit != 0 {
			unit = gcd(unit, step)
		}
	}
	if regular && unit == 1 { // the loop did not look
		for i := 2; i < len(run) && regular; i++ {
			regular = run[i].Time-run[i-1].Time == 1
		}
	}
	return unit, regular
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// decodeTimes sets the time of every reading and returns where the values begin, or -1 when times are missing or do not
// ascend within a run.
func (s *scratch) decodeTimes(rs []Reading, heads, b []byte, p int) int {
	var before []Reading
	var origin int64
	for i, h := range heads {
		run := rs[s.starts[i]:s.starts[i+1]]
		if h&timesMask == timesSame {
			if len(run) != len(before) {
				return -1
			}
			for j := range run {
				run[j].Time = before[j].Time
			}
		} else {
			first, q := uvarint(b, p)
			if q < 0 {
				return -1
			}
			run[0].Time = origin + unzigzag(first)
			if p = decodeSteps(run, h&timesMask, b, q); p < 0 {
				return -1
			}
		}
		before, origin = run, run[0].Time
	}
	return p
}

// decodeSteps sets all times of a run but the first.
func decodeSteps(run []Reading, how byte, b []byte, p int) int {
	if how == timesRegular {
		return decodeRegular(run, b, p)
	}
	if how != timesUneven || len(run) < 2 {
		return -1
	}
	unit, p := uvarint(b, p)
	if p < 0 {
		return -1
	}
	var step uint64
	t := run[0].Time
	for i := 1; i < len(run); i++ {
		var u uint64
		if u, p = uvarint(b, p); p < 0 {
			return -1
		}
		if i == 1 {
			step = u
		} else {
			step += uint64(unzigzag(u))
		}
		over, width := bits.Mul64(step, unit)
		next := t + int64(width)
		if over != 0 || next <= t { // no step, or past the end of int64
			return -1
		}
		run[i].Time = next
		t = next
	}
	return p
}

func decodeRegular(run []Reading, b []byte, p int) int {
	if len(run) == 1 {
		return p
	}
	step, p := uvarint(b, p)
	if p < 0 {
		return -1
	}
	t := run[0].Time
	for i := 1; i < len(run); i++ {
		next := t + int64(step)
		if next <= t {
			return -1
		}
		run[i].Time = next
		t = next
	}
	return p
}
