package journal

import (
	"time"

	"github.com/readout-dev/readout/reading"
)

// View is something that is kept up to date with the journals of projects. A Follower calls it, for one project one call
// at a time, for different projects at once; the calls for one project have an order, and all in it are quick.
type View interface {
	// Start is the first call for a project. It may come again later: then some entries behind the last one that was
	// applied are packed and gone, and all that the view knows of the project gives way to what the Beginning says.
	Start(Beginning)
	// Apply is called for every later entry once, in the order of offsets. It must not wait for anything.
	Apply(Entry)
	// ForgetProject ends it: what is known of the project is dropped. Only Start may follow.
	ForgetProject(project int64)
}

// Beginning is what a view must know of a project before its first entry.
type Beginning struct {
	Project int64
	After   int64 // the entries up to this offset are packed and will not be applied
	// At is when the entry at After was written, by the database's clock; UTC; zero where the journal does not hold it any more.
	At time.Time
	// Latest has the newest reading of each series that has one, as of After or an entry behind it: what the entries up to
	// there say of it they will say again. Shared by all views: read only.
	Latest []reading.Reading
}

// Trimmer is a View that wants to know what is packed, so that it need not hold it any more.
type Trimmer interface {
	// Trim says that the entries of project up to the offset upto, all of which were applied, are packed. It is called
	// while Apply, Start or ForgetProject of the same project may run, maybe again with an offset that is not higher, and
	// it may take its time as long as they need not wait for it.
	Trim(project, upto int64)
}
