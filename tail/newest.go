package tail

import (
	"math"

	"github.com/readout-dev/readout/reading"
)

// State says what is known of the newest reading of a series.
type State uint8

// None: the series has no reading. Known: its newest is at hand. Unknown: a deletion took it, and packed readings must
// be looked at to find the one before; see Tail.Resolve.
const (
	None State = iota
	Known
	Unknown
)

// nothingPacked is the bound of a series without packed readings.
const nothingPacked = math.MinInt64

// newest is the newest reading of a series, packed or not.
type newest struct {
	state  State
	time   int64 // of a Known one, as value
	value  float64
	bound  int64 // no packed reading that is not deleted is newer; never above the time of a Known one
	offset int64 // of the entry that made it so; of an Unknown one, that was the last to have a say in it
}

// newestAt returns what the newest reading is that was known at the beginning.
func newestAt(r reading.Reading, offset int64) newest {
	return newest{state: Known, time: r.Time, value: r.Value, bound: r.Time, offset: offset}
}

// pack takes note that a reading at t is packed.
func (n *newest) pack(t int64) { n.bound = max(n.bound, t) }

// added takes note that the entry at offset added readings, the last at t, and reports whether the newest changed.
func (c *column) added(t, offset int64) (changed bool) {
	if c.newest.state == Known && t < c.newest.time {
		return false
	}
	return c.settle(offset)
}

// deleted takes note that the entry at offset deleted d, and reports whether the newest changed.
func (c *column) deleted(d reading.Deletion, offset int64) (changed bool) {
	n := &c.newest
	if d.Covers(n.bound) {
		n.bound = before(d.From)
	}
	if n.state == None || n.state == Known && !d.Covers(n.time) {
		return false
	}
	return c.settle(offset)
}

// settle finds the newest reading among the points, unless a packed one may be newer.
func (c *column) settle(offset int64) (changed bool) {
	n, last := &c.newest, len(c.times)-1
	n.offset = offset
	switch {
	case last >= 0 && c.times[last] >= n.bound:
		n.state, n.time, n.value = Known, c.times[last], c.values[last]
	case last < 0 && n.bound == nothingPacked:
		n.state = None
	default:
		n.state = Unknown
	}
	return n.state != Unknown
}

// resolve is told what an Unknown newest reading was as of offset, and reports whether that is news.
func (n *newest) resolve(r reading.Reading, some bool, offset int64) (changed bool) {
	if n.state != Unknown || n.offset > offset {
		return false
	}
	if some {
		*n = newestAt(r, offset)
	} else {
		*n = newest{bound: nothingPacked, offset: offset}
	}
	return true
}

// before returns the time before t; before all times there is nothing.
func before(t int64) int64 {
	if t == math.MinInt64 {
		return nothingPacked
	}
	return t - 1
}
