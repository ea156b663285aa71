package verify

import (
	"context"
	"errors"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// journalCheck looks at a project's journal.
type journalCheck struct {
	*report
	in      *store.Inspection
	touched map[int64]bool // the series that entries say of which are not packed
	buf     []reading.Reading
}

func (c *journalCheck) run(ctx context.Context) error {
	if c.in.PackedTo > c.in.Head {
		c.add("packing", "", "more is packed than there is", "at most "+number(c.in.Head), number(c.in.PackedTo))
	}
	before, first := int64(0), true
	for {
		e, err := c.in.Journal.Peek(ctx)
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		if first && e.Offset > c.in.PackedTo+1 {
			c.add("journal", keyf("offset %d", c.in.PackedTo+1), "entries that are not packed are missing",
				"entries from "+number(c.in.PackedTo+1)+" on", "from "+number(e.Offset)+" on")
		}
		if !first && e.Offset != before+1 {
			c.add("journal", keyf("offset %d", before+1), "entries are missing", number(before+1), number(e.Offset))
		}
		before, first = e.Offset, false
		c.entry(*e)
		c.in.Journal.Next()
		if err := c.read(len(e.Payload)); err != nil {
			return err
		}
	}
	switch {
	case first && c.in.PackedTo < c.in.Head:
		c.add("journal", keyf("offset %d", c.in.PackedTo+1), "entries that are not packed are missing",
			"entries up to "+number(c.in.Head), "none")
	case !first && before != c.in.Head:
		c.add("journal_head", "", "the head is not the last entry", number(before), number(c.in.Head))
	}
	return nil
}

// entry looks into one entry.
func (c *journalCheck) entry(e store.Entry) {
	key := keyf("offset %d", e.Offset)
	unpacked := e.Offset > c.in.PackedTo
	count, err := 0, error(nil)
	switch e.Kind {
	case journal.KindReadings:
		c.buf, err = reading.Decode(c.buf[:0], e.Payload)
		count = len(c.buf)
		if err == nil && !ascending(c.buf) {
			err = errors.New("readings out of order")
		}
		for _, r := range c.buf {
			if unpacked {
				c.touched[r.Series] = true
			}
		}
	case journal.KindDeletions:
		var ds []reading.Deletion
		ds, err = reading.DecodeDeletions(e.Payload)
		count = len(ds)
		for _, d := range ds {
			if unpacked {
				c.touched[d.Series] = true
			}
		}
	default:
		c.add("journal", key, "the entry is of an unknown kind", "1 or 2", number(e.Kind))
		return
	}
	switch {
	case err != nil:
		c.add("journal", key, "the entry cannot be read", "its readings", err.Error())
	case count != e.Count:
		c.add("journal", key, "the entry has another count", number(count), number(e.Count))
	}
}

// ascending reports whether rs is sorted by series and time, and distinct.
func ascending(rs []reading.Reading) bool {
	for i := 1; i < len(rs); i++ {
		if reading.Compare(rs[i-1], rs[i]) >= 0 {
			return false
		}
	}
	return true
}
