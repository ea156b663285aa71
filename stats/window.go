package stats

import (
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// MaxBuckets is the greatest number of buckets that a window may cut a range into.
const MaxBuckets = 11_000

// Window cuts a range of time into buckets. The zero Window makes one of the whole range.
type Window struct {
	Every     Period         // the length of a bucket; zero: the whole range
	Zone      *time.Location // whose calendar and clock; nil: UTC
	FromRange bool           // buckets are counted from the range's beginning, else they have their place on the calendar
	WeekStart Weekday        // where weeks, of windows with a place on the calendar, begin
}

// Bounds returns where the buckets of the range from <= t < to begin and end, strictly ascending, in microseconds since 1970:
// bucket i is bounds[i] <= t < bounds[i+1], and to lies in the last or ends it. The first bucket begins at from or, with a
// place on the calendar, maybe before: the range's readings in it are those from from on. An empty range has no bounds.
//
// Without FromRange, buckets have these places. Months are counted from the year 0, so that three are a quarter. Days are
// counted from 2000-01-01, and from the first WeekStart of 2000 where weeks make a bucket. All these begin at midnight of the
// zone: where the clock skips that, at the moment of the change, and where it shows it twice, at the first. Times that divide
// a day are counted on the clock from midnight. Those of more than an hour begin when the clock shows a multiple, in the same
// way: of four PT6H a day, one has 5 or 7 hours where the clock changes. Those of up to an hour begin anew in an hour that the
// clock shows twice, and at any change of it: a day of PT1H has 23 or 25, and two halves where the clock changes by half an
// hour. Any other period, such as PT7H or P1DT12H, is counted from 2000-01-01T00:00: bound k is what Shift makes of that.
//
// With FromRange, bound k is Shift(from, k). What would be of no length, such as a day that the zone skipped, is no bucket.
//
// It refuses with fault Invalid: a range that ends before it begins or leaves the years 1 to 9999, an Every that ParsePeriod
// would not give, and more than MaxBuckets, most of them before it makes any.
func (w Window) Bounds(from, to int64) ([]int64, error) {
	if err := w.check(from, to); err != nil {
		return nil, err
	}
	switch {
	case from == to:
		return nil, nil
	case w.Every.IsZero():
		return []int64{from, to}, nil
	}
	return w.cut(from, to)
}

// cut returns the bounds of a range that check has let pass and that is not empty.
func (w Window) cut(from, to int64) ([]int64, error) {
	bounds := make([]int64, 0, min((to-from)/w.Every.shortest()+3, MaxBuckets+1))
	for t := range w.moments(from) {
		n := len(bounds)
		switch {
		case n > 0 && t <= bounds[n-1]:
			continue
		case n > MaxBuckets:
			return nil, errBuckets
		}
		bounds = append(bounds, t)
		if t >= to {
			break
		}
	}
	if bounds[0] < earliest || bounds[len(bounds)-1] >= lastYear {
		return nil, errYears
	}
	return bounds, nil
}

var (
	errBackwards error = fault.New(fault.Invalid, "a range does not end before it begins")
	errYears     error = fault.New(fault.Invalid, "a range and its buckets lie between the years 1 and 9999")
	errBuckets   error = fault.New(fault.Invalid, "these are more than 11,000 buckets: take a longer window or a shorter range")
)

// lastYear is the end of the last year that a range may touch.
var lastYear = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// check refuses, in no time, all but such ranges that have about MaxBuckets at most.
func (w Window) check(from, to int64) error {
	switch {
	case from > to:
		return errBackwards
	case from < earliest || to > lastYear:
		return errYears
	case w.Every.IsZero():
		return nil
	}
	if err := w.Every.check(); err != nil {
		return err
	}
	if (to-from-2*maxOffset)/w.Every.longest() > MaxBuckets { // a zone's clock gains or loses that, in all of history
		return errBuckets
	}
	return nil
}
