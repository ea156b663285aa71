package journal

import (
	"fmt"
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
