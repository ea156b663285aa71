package stats

import (
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// Fill says what is shown for a bucket without readings.
type Fill string

// The kinds of Fill.
const (
	FillNone     Fill = "NONE"     // the bucket is left out
	FillNull     Fill = "NULL"     // nothing, in its place
	FillZero     Fill = "ZERO"     // 0
	FillPrevious Fill = "PREVIOUS" // what the bucket with readings before it shows; nothing before the first one
	FillLinear   Fill = "LINEAR"   // what lies between the buckets with readings around it; nothing at the ends
)

var fills = []Fill{FillNone, FillNull, FillZero, FillPrevious, FillLinear}

// ParseFill returns the kind of that name, in capitals or not; fault Invalid if there is none.
func ParseFill(name string) (Fill, error) {
	for _, f := range fills {
		if strings.EqualFold(name, string(f)) {
			return f, nil
		}
	}
	return "", fault.New(fault.Invalid, "the fill is none of none, null, zero, previous and linear")
}

// Gap is the place of a bucket without readings among those that have some.
type Gap struct {
	Before, After *Bucket // the nearest with readings; nil where there is none
	Share         float64 // how far it is on the way from the middle of Before to that of After, 0 to 1; 0 without both
}

// Gaps returns the gap of each bucket without readings, and zero values for the others. Buckets are those of a window,
// in order, bucket i from bounds[i] to bounds[i+1]; those without readings may be nil.
func Gaps(buckets []*Bucket, bounds []int64) []Gap {
	gaps := make([]Gap, len(buckets))
	var before *Bucket
	for i := range buckets {
		if buckets[i].Empty() {
			gaps[i].Before = before
		} else {
			before = buckets[i]
		}
	}
	var after *Bucket
	for i := len(buckets) - 1; i >= 0; i-- {
		if !buckets[i].Empty() {
			after = buckets[i]
			continue
		}
		if gaps[i].After = after; after != nil && gaps[i].Before != nil {
			gaps[i].Share = gaps[i].share(bounds[i], bounds[i+1])
		}
	}
	return gaps
}

func (g Gap) share(start, end int64) float64 {
	// Twice the middles, which are whole numbers of microseconds.
	before, after := g.Before.Start+g.Before.End, g.After.Start+g.After.End
	return float64(start+end-before) / float64(after-before)
}

// Value returns what is shown as a statistic of the bucket of the gap.
func (f Fill) Value(of Statistic, g Gap) (v float64, ok bool) {
	switch f {
	case FillZero:
		return 0, true
	case FillPrevious:
		if g.Before == nil {
			return 0, false
		}
		return of(g.Before)
	case FillLinear:
		return g.between(of)
	}
	return 0, false
}

func (g Gap) between(of Statistic) (v float64, ok bool) {
	if g.Before == nil || g.After == nil {
		return 0, false
	}
	before, ok := of(g.Before)
	if !ok {
		return 0, false
	}
	after, ok := of(g.After)
	if !ok {
		return 0, false
	}
	return some(between(before, after, g.Share))
}
