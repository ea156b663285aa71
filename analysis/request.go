package analysis

import (
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// Member is a series of a group.
type Member struct {
	Project, Series int64
	Labels          map[string]string // only read, and only where Need.Labels names one of them; may be nil
}

// Request asks for statistics of groups of series.
type Request struct {
	// Groups are answered in their order. A series may be in several groups; twice in one it counts once.
	Groups [][]Member

	// From and To bound the readings: From <= time < To, in µs. Without From the range begins with the first reading of
	// any of the series, without To it ends with Now.
	From, To *int64

	Window stats.Window // the zero Window is one bucket: the range
	Need   stats.Need   // what the buckets hold beside a Summary

	// Shift asks for the same of the range one period before: compared with a week before is a Shift of seven days. Zero
	// asks for nothing more.
	Shift stats.Period

	// Keep is how many groups Answer.Top is going to keep; 0 = all. MaxBuckets holds for what is kept.
	Keep int

	// NoTotals leaves the values and the labels out of the totals, where nobody asks for a quantile of them: that saves
	// the time and the memory of a second copy.
	NoTotals bool

	Now time.Time // the zero time is the present
}

// Limits of an answer.
const (
	MaxBuckets = stats.MaxBuckets // of all groups that are kept
	MaxCells   = 250_000          // buckets of all groups before Request.Keep
)

// checkSize refuses an answer of so many buckets for each group.
func (r *Request) checkSize(buckets int) error {
	groups, kept := len(r.Groups), len(r.Groups)
	if r.Keep > 0 {
		kept = min(kept, r.Keep)
	}
	if n := kept * buckets; n > MaxBuckets {
		return fault.New(fault.Invalid,
			"%d groups of %d buckets are more than %d in one answer: ask for wider buckets, a shorter range or the top few groups",
			kept, buckets, MaxBuckets)
	}
	if n := groups * buckets; n > MaxCells {
		return fault.New(fault.Invalid,
			"to rank %d groups of %d buckets takes more than %d: ask for wider buckets, a shorter range or fewer groups",
			groups, buckets, MaxCells)
	}
	return nil
}
