package graph

import "math/bits"

// idSet is a set of ids that are close to each other, as those of a project's series: a bit each.
type idSet map[int64]uint64

func (s idSet) add(id int64) { s[id>>6] |= 1 << (id & 63) }

func (s idSet) has(id int64) bool { return s[id>>6]&(1<<(id&63)) != 0 }

// count returns how many there are.
func (s idSet) count() (n int) {
	for _, set := range s {
		n += bits.OnesCount64(set)
	}
	return n
}

// all yields the ids, in no order.
func (s idSet) all(yield func(int64) bool) {
	for word, set := range s {
		for bit := range int64(64) {
			if set&(1<<bit) != 0 && !yield(word<<6|bit) {
				return
			}
		}
	}
}
