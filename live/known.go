package live

import "github.com/readout-dev/readout/journal"

// known is the series of a project that have been published, or had readings before: in the order in which they came.
type known struct {
	set   ids
	order []int64
}

// learn takes in the series of an entry, and reports whether there were any that it did not know. Neighbours are quick:
// they are in one word.
func (k *known) learn(e *journal.Entry) (strange bool) {
	before := len(k.order)
	at := int64(0)
	word := k.set[at]
	for id := range seriesOf(e) {
		if id>>6 != at {
			at = id >> 6
			word = k.set[at]
		}
		if bit := uint64(1) << (id & 63); word&bit == 0 {
			word |= bit
			k.set[at] = word
			k.order = append(k.order, id)
		}
	}
	return len(k.order) > before
}

// seriesOf yields the series that an entry has readings of, or deletions: in order, and a series seldom twice.
func seriesOf(e *journal.Entry) func(yield func(id int64) bool) {
	return func(yield func(int64) bool) {
		last := int64(-1)
		for i := range e.Readings {
			if id := e.Readings[i].Series; id != last {
				if last = id; !yield(id) {
					return
				}
			}
		}
		for _, d := range e.Deletions {
			if !yield(d.Series) {
				return
			}
		}
	}
}
