package analysis

import (
	"sync/atomic"

	"github.com/readout-dev/readout/internal/fault"
)

// What the buckets of an answer hold at most, beside values.
const (
	maxSketches = 25_000    // buckets with a sketch, which takes up to some 8 kB
	maxLabels   = 1_000_000 // values of labels, each in each bucket, some 50 bytes each
)

// held counts what the buckets of an answer hold: those of the window, those of the time before, and the totals. Safe for
// concurrent use.
type held struct {
	maxValues int64
	copies    int64 // of each value: a second one in the total

	values   atomic.Int64 // that are held one by one, or would be if they were not too many
	sketches atomic.Int64
	labels   atomic.Int64
}

func newHeld(maxValues int, bareTotals bool) *held {
	h := &held{maxValues: int64(maxValues), copies: 2}
	if bareTotals {
		h.copies = 1
	}
	return h
}

func (h *held) addValues(n int) { h.values.Add(int64(n) * h.copies) }

func (h *held) tooManyValues() bool { return h.values.Load() > h.maxValues }

// sketch notes that a cell holds a sketch from now on. In two shares it is two cells.
func (h *held) sketch(c *cell) {
	if !c.sketched {
		c.sketched = true
		h.sketches.Add(1)
	}
}

// label takes in that a series with these labels has readings in a cell.
func (h *held) label(c *cell, names []string, labels map[string]string) {
	if len(names) == 0 {
		return
	}
	if c.Labels == nil { // there may be none, but they were looked at
		c.Labels = make(map[string]map[string]struct{}, len(names))
	}
	for _, name := range names {
		if value, ok := labels[name]; ok && c.AddLabel(name, value) {
			h.labels.Add(1)
		}
	}
}

// check refuses, with a fault Invalid, an answer that would take too much memory.
func (h *held) check() error {
	switch {
	case h.sketches.Load() > maxSketches:
		return fault.New(fault.Invalid, "these are quantiles of too many readings in more than %d buckets: "+
			"ask for wider buckets, a shorter range or fewer groups", maxSketches)
	case h.labels.Load() > maxLabels:
		return fault.New(fault.Invalid, "labels have more than %d values in all buckets: "+
			"ask for wider buckets, a shorter range or fewer series", maxLabels)
	}
	return nil
}
