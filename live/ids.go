package live

import (
	"math/bits"

	"github.com/readout-dev/readout/journal"
)

// ids is a set of ids, of which neighbours share their room.
type ids map[int64]uint64

func (s ids) has(id int64) bool { return s[id>>6]&(1<<(id&63)) != 0 }

// add reports whether id is new.
func (s ids) add(id int64) bool {
	word, bit := s[id>>6], uint64(1)<<(id&63)
	s[id>>6] = word | bit
	return word&bit == 0
}

func (s ids) remove(id int64) {
	if word := s[id>>6] &^ (1 << (id & 63)); word != 0 {
		s[id>>6] = word
	} else {
		delete(s, id>>6)
	}
}

// all yields each id, in no order. The set may not be changed meanwhile.
func (s ids) all(yield func(id int64) bool) {
	for at, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(at<<6 | int64(bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

// meets reports whether one of the ids is of a series of an entry.
func (s ids) meets(e *journal.Entry) bool {
	for at, bits := range e.Blocks {
		if s[at]&bits != 0 {
			return true
		}
	}
	for _, d := range e.Deletions {
		if s.has(d.Series) {
			return true
		}
	}
	return false
}
