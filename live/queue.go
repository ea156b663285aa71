package live

import (
	"slices"

	"github.com/readout-dev/readout/journal"
)

// queue holds the entries that wait for one subscription, the oldest first. The entries are shared.
type queue struct {
	entries []*journal.Entry
	bytes   int
}

func (q *queue) push(e *journal.Entry) {
	q.entries = append(q.entries, e)
	q.bytes += size(e)
}

// pop takes the oldest; there must be one.
func (q *queue) pop() *journal.Entry {
	e := q.entries[0]
	q.entries = slices.Delete(q.entries, 0, 1)
	q.bytes -= size(e)
	return e
}

func (q *queue) empty() bool { return len(q.entries) == 0 }

// newest returns the offset of the entry that was pushed last; 0 when none waits.
func (q *queue) newest() int64 {
	if q.empty() {
		return 0
	}
	return q.entries[len(q.entries)-1].Offset
}

// fits reports whether e is within the limits. One entry alone always is.
func (q *queue) fits(e *journal.Entry, cfg *Config) bool {
	return q.empty() || len(q.entries) < cfg.MaxEntries && q.bytes+size(e) <= cfg.MaxBytes
}
