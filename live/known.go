package live

import (
	"math/bits"

	"github.com/readout-dev/readout/journal"
)

// known is the series of a project that have been published, or had readings before: in the order in which they came.
type known struct {
	set   ids
	order []int64
}

// learn takes in the series of an entry, and reports whether there were any that it did not know.
func (k *known) learn(e *journal.Entry) (strange bool) {
	before := len(k.order)
	for at, word := range e.Blocks {
		k.add(at, word)
	}
	for _, d := range e.Deletions {
		k.add(d.Series>>6, 1<<(d.Series&63))
	}
	return len(k.order) > before
}

func (k *known) add(at int64, word uint64) {
	fresh := word &^ k.set[at]
	if fresh == 0 {
		return
	}
	k.set[at] |= fresh
	for ; fresh != 0; fresh &= fresh - 1 {
		k.order = append(k.order, at<<6|int64(bits.TrailingZeros64(fresh)))
	}
}

// seriesOf yields the series that an entry has readings of, or deletions: in order, and a series seldom twice.
func seriesOf(e *journal.Entry) func(yield func(id int64) bool) {
	return func(yield func(int64) bool) {
		for id := range e.Runs {
			if !yield(id) {
				return
			}
		}
		for _, d := range e.Deletions {
			if !yield(d.Series) {
				return
			}
		}
	}
}
