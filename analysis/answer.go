package analysis

import (
	"time"

	"github.com/readout-dev/readout/stats"
)

// Answer holds the buckets of each group of a Request. It belongs to the caller. Each bucket is for one goroutine at a
// time: to ask for a quantile reorders what it holds.
type Answer struct {
	// Bounds are those of the buckets, ascending: bucket i is Bounds[i] <= time < Bounds[i+1]. Empty when the range is.
	// The first may lie before the range, the last behind it: readings outside the range are in no bucket.
	Bounds   []int64
	Window   stats.Window
	From, To int64   // the range, µs
	Groups   []Group // in the order of the request, until Top
	Explain  Explain

	Shift stats.Period // Request.Shift
	// PreviousBounds are those of the buckets one Shift before, ascending, as many as Bounds; nil without a Shift. Where the
	// calendar or the clock has no counterpart of a bucket, they are equal, and it is empty.
	PreviousBounds []int64
}

// Group is what an Answer says of one group of a Request.
type Group struct {
	Place   int             // of the group in Request.Groups
	Buckets []*stats.Bucket // one for each bucket of the window; nil: no readings
	Total   *stats.Bucket   // of the whole range; never nil, and shares nothing with a bucket

	// With Request.Shift: bucket i is that between the PreviousBounds i and i+1. Nil without.
	Previous      []*stats.Bucket
	PreviousTotal *stats.Bucket
}

// Explain says how an answer was computed.
type Explain struct {
	Resolution string        // the coarsest that was used: "RAW", "HOUR" or "DAY"
	Sources    []string      // of "TAIL" (readings that are not packed), "RAW" (packed ones), "HOUR" and "DAY" (rollups): those that gave anything
	Readings   int           // that were read, those behind both ends of a range for the line through it too
	Rollups    int           // that were read
	Took       time.Duration // with the time spent waiting for a turn
}
