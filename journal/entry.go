package journal

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Kinds of entries as the database holds them: what their payload is.
const (
	KindReadings  int16 = 1 // reading.Encode
	KindDeletions int16 = 2 // reading.EncodeDeletions
)

// Entry is one committed group of a project's readings, or of deletions.
type Entry struct {
	Project  int64
	Offset   int64             // its place in the project's journal: 1, 2, 3 … without holes, in the order of commits
	At       time.Time         // when it was written, by the database's clock; UTC
	Readings []reading.Reading // sorted by (series, time), distinct; shared by all who have the entry: read only
	// Deletions take away what came before the entry. An entry has readings or deletions.
	Deletions []reading.Deletion

	parts  []reading.Part // of Readings; nil: see Index
	blocks []block        // of the same series
}

// block is 64 neighbouring series, a bit each.
type block struct {
	at   int64 // the series' ids, divided by 64
	bits uint64
}

// Index finds out where the readings of each series are, once for all who have the entry from then on. Nobody else may have it yet.
func (e *Entry) Index() {
	if e.parts != nil {
		return
	}
	e.parts = reading.Parts(e.Readings)
	for at, bits := range e.Blocks {
		e.blocks = append(e.blocks, block{at, bits})
	}
}

// Blocks yields which series have readings in the entry, 64 neighbours at once: a bit each, from id 64 at to id 64 at + 63. So
// who looks for some of them need not look at each of thousands.
func (e *Entry) Blocks(yield func(at int64, bits uint64) bool) {
	if e.blocks != nil {
		for _, b := range e.blocks {
			if !yield(b.at, b.bits) {
				return
			}
		}
		return
	}
	var b block
	for id := range e.Runs {
		if id>>6 != b.at && b.bits != 0 {
			if !yield(b.at, b.bits) {
				return
			}
			b.bits = 0
		}
		b.at = id >> 6
		b.bits |= 1 << (id & 63)
	}
	if b.bits != 0 {
		yield(b.at, b.bits)
	}
}

// Runs yields each series with readings in the entry, and these, in order.
func (e *Entry) Runs(yield func(series int64, run []reading.Reading) bool) {
	if e.parts == nil {
		reading.Runs(e.Readings)(yield)
		return
	}
	for _, p := range e.parts {
		if !yield(p.Series, e.Readings[p.From:p.To]) {
			return
		}
	}
}

// RunOf returns the readings of a series; none when it has none.
func (e *Entry) RunOf(series int64) []reading.Reading {
	if e.parts == nil {
		from, _ := slices.BinarySearchFunc(e.Readings, series, func(r reading.Reading, id int64) int { return cmp.Compare(r.Series, id) })
		to := from
		for to < len(e.Readings) && e.Readings[to].Series == series {
			to++
		}
		return e.Readings[from:to]
	}
	at, found := slices.BinarySearchFunc(e.parts, series, func(p reading.Part, id int64) int { return cmp.Compare(p.Series, id) })
	if !found {
		return nil
	}
	return e.Readings[e.parts[at].From:e.parts[at].To]
}

// Ack is the answer to an append that is durable.
type Ack struct {
	Offset   int64 // of the entry that holds the readings, or the deletions
	Accepted int   // readings
	Late     int   // those of the accepted that were not newer than the newest one of their series when they arrived
}

// decode returns the stored entry of project as the views see it.
func decode(project int64, stored store.Entry) (Entry, error) {
	e := Entry{Project: project, Offset: stored.Offset, At: stored.At}
	count, err := e.decodePayload(stored)
	if err != nil {
		return Entry{}, fmt.Errorf("decode entry %d of project %d: %w", e.Offset, project, err)
	}
	if count != stored.Count {
		return Entry{}, fmt.Errorf("decode entry %d of project %d: it holds %d instead of %d",
			e.Offset, project, count, stored.Count)
	}
	return e, nil
}

// decodePayload returns how many readings or deletions the entry has got.
func (e *Entry) decodePayload(stored store.Entry) (count int, err error) {
	switch stored.Kind {
	case KindReadings:
		e.Readings, err = reading.Decode(nil, stored.Payload)
		return len(e.Readings), err
	case KindDeletions:
		e.Deletions, err = reading.DecodeDeletions(stored.Payload)
		return len(e.Deletions), err
	}
	return 0, fmt.Errorf("unknown kind %d", stored.Kind)
}
