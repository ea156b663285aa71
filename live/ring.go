package live

import "github.com/readout-dev/readout/journal"

// readingBytes is what a reading takes in memory, and a deletion.
const readingBytes = 24

// ring holds the most recent entries of one project: consecutive ones, within both limits, but always the newest.
type ring struct {
	maxEntries int
	maxBytes   int

	slots []*journal.Entry // a circle, which grows until it has maxEntries
	first int              // the slot of the oldest
	n     int
	bytes int
}

// push adds the newest entry and drops the oldest ones that are over a limit. It is O(1), spread over many calls.
func (r *ring) push(e *journal.Entry) {
	if r.n == r.maxEntries {
		r.drop()
	}
	if r.n == len(r.slots) {
		r.grow()
	}
	r.slots[(r.first+r.n)%len(r.slots)] = e
	r.n++
	r.bytes += size(e)
	for r.bytes > r.maxBytes && r.n > 1 {
		r.drop()
	}
}

// after returns the entry behind the offset; nil when the ring does not hold it.
func (r *ring) after(offset int64) *journal.Entry {
	if r.n == 0 {
		return nil
	}
	i := offset + 1 - r.slots[r.first].Offset
	if i < 0 || i >= int64(r.n) {
		return nil
	}
	return r.slots[(r.first+int(i))%len(r.slots)]
}

func (r *ring) drop() {
	r.bytes -= size(r.slots[r.first])
	r.slots[r.first] = nil
	r.first = (r.first + 1) % len(r.slots)
	r.n--
}

// clear drops all entries.
func (r *ring) clear() {
	*r = ring{maxEntries: r.maxEntries, maxBytes: r.maxBytes}
}

func (r *ring) grow() {
	slots := make([]*journal.Entry, min(max(2*len(r.slots), 4), r.maxEntries))
	for i := range r.n {
		slots[i] = r.slots[(r.first+i)%len(r.slots)]
	}
	r.slots, r.first = slots, 0
}

func size(e *journal.Entry) int { return (len(e.Readings) + len(e.Deletions)) * readingBytes }
