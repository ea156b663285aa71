package verify

import (
	"context"
	"math"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// latestCheck compares the newest reading of one series after the other with what table latest says.
type latestCheck struct {
	*report
	in      *store.Inspection
	blind   *blindness
	touched map[int64]bool // these may be newer than what is packed

	newest reading.Reading
	upto   int64 // of newest's run; -1 for a chunk
	some   bool
}

func (c *latestCheck) begin() { c.some = false }

// take takes a reading of a run, or of a chunk with upto -1.
func (c *latestCheck) take(r reading.Reading, upto int64) {
	if !c.some || r.Time > c.newest.Time || r.Time == c.newest.Time && upto > c.upto {
		c.newest, c.upto, c.some = r, upto, true
	}
}

// end compares the row of the series, if it has one.
func (c *latestCheck) end(ctx context.Context, series int64) error {
	row, err := c.in.Latest.Peek(ctx)
	if err != nil {
		return err
	}
	var got *store.Newest
	if row != nil && row.Series == series {
		copied := *row
		got = &copied
		c.in.Latest.Next()
	}
	c.compare(series, got)
	if got == nil {
		return nil
	}
	return c.read(0)
}

func (c *latestCheck) compare(series int64, got *store.Newest) {
	key := keyf("series %d", series)
	if got != nil && got.Offset > c.in.Head {
		c.add("latest", key, "the row is of an entry that is not there", "up to "+number(c.in.Head), number(got.Offset))
	}
	kept := int64(math.MinInt64)
	if !c.in.KeptSince.IsZero() {
		kept = c.in.KeptSince.UnixMicro()
	}
	if got != nil && !got.None && (math.IsNaN(got.Value) || math.IsInf(got.Value, 0)) {
		c.add("latest", key, "the value is no number", "a finite number", "none")
	}
	if c.touched[series] || c.blind.on(series, math.MinInt64, math.MaxInt64) {
		return
	}
	none := got == nil || got.None
	switch {
	case !c.some && none:
	case !c.some && got.Time < kept, c.some && c.newest.Time < kept:
	case !c.some:
		c.add("latest", key, "there is no such reading", "none", at(got.Time))
	case none:
		c.add("latest", key, "the newest reading is missing", at(c.newest.Time), "none")
	case got.Time != c.newest.Time:
		c.add("latest", key, "it is not the newest reading", at(c.newest.Time), at(got.Time))
	case math.Float64bits(got.Value) != math.Float64bits(c.newest.Value):
		c.add("latest", key, "the newest reading has another value", keyf("%v", c.newest.Value), keyf("%v", got.Value))
	}
}
