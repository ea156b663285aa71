package reading

import "math"

// Deletion takes readings of one series away: those with From <= time < To (µs) that came before it. A reading that is
// sent again afterwards is there again.
type Deletion struct {
	Series   int64
	From, To int64
}

// DeleteAll returns the deletion of all that a series has.
func DeleteAll(series int64) Deletion { return Deletion{series, math.MinInt64, math.MaxInt64} }

// Whole reports whether the deletion takes all that its series has: the series itself may be gone.
func (d Deletion) Whole() bool { return d.From == math.MinInt64 && d.To == math.MaxInt64 }

// Covers reports whether the deletion takes a reading at time t of its series away.
func (d Deletion) Covers(t int64) bool { return d.From <= t && t < d.To }
