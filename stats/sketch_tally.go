package stats

import (
	"cmp"
	"math"
	"slices"
)

// tallyBits makes a table of twice MaxExact slots, so that it is never more than half full.
const tallyBits = 9

// tally counts distinct values in an open hash table.
type tally struct {
	slots    [1 << tallyBits]valueCount // free where the count is 0
	distinct int
}

// addAll counts values and returns how many of them it took: all, unless one is a distinct value too many.
func (t *tally) addAll(values []float64) int {
	for i, v := range values {
		v += 0 // -0 becomes 0, which it equals
		slot := t.find(v)
		if slot.count == 0 {
			if t.distinct == MaxExact {
				return i
			}
			t.distinct++
			slot.value = v
		}
		slot.count++
	}
	return len(values)
}

// find returns the slot of v, or the free one where it belongs.
func (t *tally) find(v float64) *valueCount {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: Fibonacci hashing
	for at := math.Float64bits(v) * golden >> (64 - tallyBits); ; at++ {
		slot := &t.slots[at&(1<<tallyBits-1)]
		if slot.count == 0 || slot.value == v {
			return slot
		}
	}
}

// counts returns what was counted, in ascending order of the values.
func (t *tally) counts() []valueCount {
	counts := make([]valueCount, 0, t.distinct)
	for _, slot := range t.slots {
		if slot.count > 0 {
			counts = append(counts, slot)
		}
	}
	slices.SortFunc(counts, func(a, b valueCount) int { return cmp.Compare(a.value, b.value) })
	return counts
}

// sketch returns the sketch of what was counted.
func (t *tally) sketch() *Sketch {
	s := &Sketch{exact: t.counts()}
	if len(s.exact) > 0 {
		s.min, s.max = s.exact[0].value, s.exact[len(s.exact)-1].value
	}
	for _, c := range s.exact {
		s.count += c.count
	}
	return s
}
