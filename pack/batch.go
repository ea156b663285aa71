package pack

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Bounds of a batch beside its readings.
const (
	maxEntries   = 50_000
	maxDeletions = 10_000 // and an entry's
)

// batch is a stretch of a project's journal in memory.
type batch struct {
	since, upto int64             // it holds the entries since < offset <= upto
	came        int               // readings in these
	readings    []reading.Reading // what is left of them; in the order they came, or, once settled, sorted and distinct
	deletions   []deletion
	spare       []reading.Reading
}

// deletion is a deletion of the batch, and how many of its readings came before.
type deletion struct {
	reading.Deletion
	behind int
}

// load reads the entries behind the offset since, at least one and as many as sizes allow.
func (b *batch) load(ctx context.Context, tx pgx.Tx, project, since int64, sizes Sizes) error {
	b.since, b.upto, b.readings, b.deletions = since, since, b.readings[:0], b.deletions[:0]
	end, count, err := store.Stretch(ctx, tx, project, since, maxEntries, sizes.Batch)
	if err != nil {
		return err
	}
	b.readings = slices.Grow(b.readings, count)
	err = store.ReadStretch(ctx, tx, project, since, end, func(e store.Entry) error {
		if len(b.deletions) >= maxDeletions {
			return errFull
		}
		if e.Offset != b.upto+1 {
			return missing(project, b.upto+1)
		}
		if err := b.add(e); err != nil {
			return fmt.Errorf("pack entry %d of project %d: %w", e.Offset, project, err)
		}
		b.upto = e.Offset
		return nil
	})
	b.came = len(b.readings)
	switch {
	case errors.Is(err, errFull):
		return nil
	case err == nil && (b.upto < end || end == since):
		return missing(project, b.upto+1)
	}
	return err
}

func missing(project, offset int64) error {
	return fmt.Errorf("pack project %d: entry %d is missing", project, offset)
}

var errFull = errors.New("the batch is full")

// release gives the memory of a large batch back.
func (b *batch) release() {
	if cap(b.readings)+cap(b.spare) > 1<<19 {
		*b = batch{}
	}
}

func (b *batch) add(e store.Entry) (err error) {
	had := len(b.readings)
	n := 0
	switch e.Kind {
	case journal.KindReadings:
		b.readings, err = reading.Decode(b.readings, e.Payload)
		n = len(b.readings) - had
	case journal.KindDeletions:
		var ds []reading.Deletion
		ds, err = reading.DecodeDeletions(e.Payload)
		for _, d := range ds {
			b.deletions = append(b.deletions, deletion{d, had})
		}
		n = len(ds)
	default:
		err = fmt.Errorf("unknown kind %d", e.Kind)
	}
	if err == nil && n != e.Count {
		err = fmt.Errorf("it holds %d instead of %d", n, e.Count)
	}
	return err
}

// settle brings the readings into order: sorted, the last of equal ones, without those that a later deletion took.
func (b *batch) settle() {
	b.applyDeletions()
	b.spare = reading.Gather(b.spare[:0], b.readings)
	b.readings, b.spare = b.spare, b.readings
}

// applyDeletions takes what each deletion covers out of the readings that came before it: from the last stretch between
// two deletions to the first one, with what is gone growing meanwhile.
func (b *batch) applyDeletions() {
	if len(b.deletions) == 0 {
		return
	}
	gone := make(map[int64]ranges)
	end := len(b.readings)
	var left [][]reading.Reading // of the stretches, the last one first
	for _, d := range slices.Backward(b.deletions) {
		if d.behind < end {
			left = append(left, remove(b.readings[d.behind:end], gone))
			end = d.behind
		}
		gone[d.Series] = gone[d.Series].with(span{d.From, d.To})
	}
	kept := remove(b.readings[:end], gone)
	for _, rs := range slices.Backward(left) {
		kept = append(kept, rs...)
	}
	b.readings = kept
}

// days calls use with each UTC day of the readings, by its start (µs), and the day's readings.
func (b *batch) days(use func(start int64, rs []reading.Reading) error) error {
	if len(b.readings) == 0 {
		return nil
	}
	low, high := b.readings[0].Time, b.readings[0].Time
	for i := range b.readings {
		low, high = min(low, b.readings[i].Time), max(high, b.readings[i].Time)
	}
	if start := floor(low, dayLen); start == floor(high, dayLen) {
		return use(start, b.readings)
	}
	starts, ends := b.scatter()
	from := 0
	for i, start := range starts {
		if err := use(start, b.spare[from:ends[i]]); err != nil {
			return err
		}
		from = ends[i]
	}
	return nil
}

// scatter puts the readings into spare, by day and otherwise in the order they have, and returns the days, in order, and
// where each one's readings end.
func (b *batch) scatter() (starts []int64, ends []int) {
	counts := make(map[int64]*int)
	count := dayFinder(counts)
	for i := range b.readings {
		*count(b.readings[i].Time)++
	}
	for start := range counts {
		starts = append(starts, start)
	}
	slices.Sort(starts)
	at := 0
	for _, start := range starts {
		n := *counts[start]
		*counts[start] = at
		at += n
		ends = append(ends, at)
	}
	b.spare = slices.Grow(b.spare[:0], at)[:at]
	place := dayFinder(counts)
	for _, r := range b.readings {
		p := place(r.Time)
		b.spare[*p] = r
		*p++
	}
	return starts, ends
}

// dayFinder returns a function that finds the number of a time's day, and remembers the last one found.
func dayFinder(of map[int64]*int) func(t int64) *int {
	var start int64
	var n *int
	return func(t int64) *int {
		if n == nil || t < start || t >= start+dayLen {
			start = floor(t, dayLen)
			if n = of[start]; n == nil {
				n = new(int)
				of[start] = n
			}
		}
		return n
	}
}
