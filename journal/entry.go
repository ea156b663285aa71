package journal

import (
	"fmt"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Entry is one committed group of a project's readings.
type Entry struct {
	Project  int64
	Offset   int64             // its place in the project's journal: 1, 2, 3 … without holes, in the order of commits
	At       time.Time         // when it was written, by the database's clock; UTC
	Readings []reading.Reading // sorted by (series, time), distinct; shared by all who have the entry: read only
}

// Ack is the answer to an append that is durable.
type Ack struct {
	Offset   int64 // of the entry that holds the readings
	Accepted int   // readings
	Late     int   // those of the accepted that were not newer than the newest one of their series when they arrived
}

// View is something that is kept up to date with the journals of projects. A Follower calls it, for one project one call
// at a time, for different projects at once; the calls for one project have an order, and all in it are quick.
type View interface {
	// Start is the first call for a project: its entries up to the offset after are packed and will not be applied.
	Start(project, after int64)
	// Apply is called for every later entry once, in the order of offsets. It must not wait for anything.
	Apply(Entry)
	// ForgetProject ends it: what is known of the project is dropped. Only Start may follow.
	ForgetProject(project int64)
}

// kindReadings marks an entry of readings, encoded by reading.Encode.
const kindReadings = 1

// decode returns the stored entry of project as the views see it.
func decode(project int64, stored store.Entry) (Entry, error) {
	e := Entry{Project: project, Offset: stored.Offset, At: stored.At}
	if stored.Kind != kindReadings {
		return Entry{}, fmt.Errorf("decode entry %d of project %d: unknown kind %d", e.Offset, project, stored.Kind)
	}
	rs, err := reading.Decode(nil, stored.Payload)
	if err != nil {
		return Entry{}, fmt.Errorf("decode entry %d of project %d: %w", e.Offset, project, err)
	}
	if len(rs) != stored.Count {
		return Entry{}, fmt.Errorf("decode entry %d of project %d: %d readings instead of %d",
			e.Offset, project, len(rs), stored.Count)
	}
	e.Readings = rs
	return e, nil
}
