package analysis

import (
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// What one Statistic is asked for at once, at most or where nothing is said.
const (
	MaxQuantiles = 1000
	MaxBins      = 1000
	DefaultBins  = 10
)

// Statistic is one bucket as it is shown: what its readings come to or, where there are none, what the fill makes of its
// neighbours. What is not defined is nil, never NaN and never infinite; what was not in Request.Need is nil, too.
//
// Statistics of one Answer may be used by several goroutines, each of them by one at a time.
type Statistic struct {
	start, end int64
	zone       *time.Location // of what it is asked about days and months; nil: UTC
	window     *stats.Window  // names it; nil: it has no name
	bucket     *stats.Bucket  // nil: no readings
	fill       stats.Fill     // how it is filled then, from
	gap        stats.Gap
	scattered  bool // it is about hours with others between them
	previous   *Statistic

	// shared is locked while buckets are computed with, where those that are filled use their neighbours': quantiles reorder
	// what a bucket holds. Nil where nobody else does.
	shared *sync.Mutex
}

// NewStatistic returns what is shown of a bucket that stands for itself.
func NewStatistic(b *stats.Bucket) *Statistic {
	return &Statistic{start: b.Start, end: b.End, bucket: b}
}

// NewCell returns what is shown of a cell of a heatmap on the clock of a zone; nil is UTC.
func NewCell(c stats.Cell, zone *time.Location) *Statistic {
	s := NewStatistic(c.Bucket)
	s.zone, s.scattered = zone, c.Day == ""
	return s
}

// Total returns what is shown of the whole range of a group; never nil.
func (a *Answer) Total(group int) *Statistic {
	g := a.Groups[group]
	total := NewStatistic(g.Total)
	total.zone = a.Window.Zone
	if g.PreviousTotal != nil {
		total.previous = NewStatistic(g.PreviousTotal)
		total.previous.zone = a.Window.Zone
	}
	return total
}

// Statistics returns what is shown of the buckets of a group, in order of time: those with readings and, with a fill, the
// others. Compared with an earlier time, each has the bucket of then as its Previous, which is chosen and filled in the same way.
func (a *Answer) Statistics(group int, fill stats.Fill) []*Statistic {
	g := a.Groups[group]
	all := a.statistics(g.Buckets, a.Bounds, fill)
	if g.Previous != nil {
		before := a.statistics(g.Previous, a.PreviousBounds, fill)
		for i := range all {
			if before[i].shown() {
				all[i].previous = &before[i]
			}
		}
	}
	list := make([]*Statistic, 0, len(all))
	for i := range all {
		if all[i].shown() {
			list = append(list, &all[i])
		}
	}
	return list
}

// shown reports whether s is shown, or left out.
func (s *Statistic) shown() bool { return s.bucket != nil || s.fill != stats.FillNone }

// statistics returns one for each bucket, in one block of memory.
func (a *Answer) statistics(buckets []*stats.Bucket, bounds []int64, fill stats.Fill) []Statistic {
	all := make([]Statistic, len(buckets))
	var gaps []stats.Gap
	var shared *sync.Mutex
	if fill == stats.FillPrevious || fill == stats.FillLinear {
		gaps, shared = stats.Gaps(buckets, bounds), new(sync.Mutex)
	}
	for i, b := range buckets {
		all[i] = Statistic{start: bounds[i], end: bounds[i+1], zone: a.Window.Zone, window: &a.Window, fill: fill, shared: shared}
		if !b.Empty() {
			all[i].bucket = b
		} else if gaps != nil {
			all[i].gap = gaps[i]
		}
	}
	return all
}

// lock begins the use of what s shares with others, and returns what ends it.
func (s *Statistic) lock() (unlock func()) {
	if s.shared == nil {
		return func() {}
	}
	s.shared.Lock()
	return s.shared.Unlock
}

// Value returns any statistic of the bucket, as stats.Named finds it: what its readings come to or, where there are none,
// what the fill makes of its neighbours. Nil where it is not defined or was not named in Request.Need.
func (s *Statistic) Value(f stats.Statistic) *float64 {
	defer s.lock()()
	var v float64
	var ok bool
	if s.bucket != nil {
		v, ok = f(s.bucket)
	} else {
		v, ok = s.fill.Value(f, s.gap)
	}
	if !ok {
		return nil
	}
	return &v
}

// number returns what f makes of the bucket as a whole number; 0 where there are no readings, filled or not.
func (s *Statistic) number(f stats.Statistic) int64 {
	if s.bucket == nil {
		return 0
	}
	if v := s.Value(f); v != nil {
		return int64(*v)
	}
	return 0
}

// Start returns where the bucket begins.
func (s *Statistic) Start() time.Time { return time.UnixMicro(s.start).UTC() }

// End returns where it ends, exclusive.
func (s *Statistic) End() time.Time { return time.UnixMicro(s.end).UTC() }

// Label returns its name on the calendar, such as 2018-W23; nil where it has none.
func (s *Statistic) Label() *string {
	if s.window == nil {
		return nil
	}
	if name := s.window.Label(s.start); name != "" {
		return &name
	}
	return nil
}

// Filled reports whether there are no readings, and it is shown because of a fill.
func (s *Statistic) Filled() bool { return s.bucket == nil }

// Exact reports whether all that it shows is exact; see stats.Bucket.Exact.
func (s *Statistic) Exact() bool {
	defer s.lock()()
	return s.bucket.Exact() && s.gap.Before.Exact() && s.gap.After.Exact()
}

// Previous returns the bucket that it is compared with: Request.Shift before. Nil without a comparison, and where nothing
// is shown for that one.
func (s *Statistic) Previous() *Statistic { return s.previous }

// Count returns the number of readings.
func (s *Statistic) Count() int64 { return s.number(stats.Count) }

// Sum is stats.Sum.
func (s *Statistic) Sum() *float64 { return s.Value(stats.Sum) }

// Mean is stats.Mean.
func (s *Statistic) Mean() *float64 { return s.Value(stats.Mean) }

// Min is stats.Min.
func (s *Statistic) Min() *float64 { return s.Value(stats.Min) }

// Max is stats.Max.
func (s *Statistic) Max() *float64 { return s.Value(stats.Max) }

// Range is stats.Range.
func (s *Statistic) Range() *float64 { return s.Value(stats.Range) }

// First is stats.First.
func (s *Statistic) First() *float64 { return s.Value(stats.First) }

// Last is stats.Last.
func (s *Statistic) Last() *float64 { return s.Value(stats.Last) }

// Delta is stats.Delta.
func (s *Statistic) Delta() *float64 { return s.Value(stats.Delta) }

// Rate is stats.Rate.
func (s *Statistic) Rate() *float64 { return s.Value(stats.Rate) }

// Stddev is stats.StdDev.
func (s *Statistic) Stddev() *float64 { return s.Value(stats.StdDev) }

// Variance is stats.Variance.
func (s *Statistic) Variance() *float64 { return s.Value(stats.Variance) }

// Median is stats.Median.
func (s *Statistic) Median() *float64 { return s.Value(stats.Median) }

// TimeWeightedMean is stats.TimeWeightedMean.
func (s *Statistic) TimeWeightedMean() *float64 { return s.Value(stats.TimeWeightedMean) }

// Integral is stats.Integral.
func (s *Statistic) Integral() *float64 { return s.Value(stats.Integral) }

// DurationAbove is stats.Above, in seconds.
func (s *Statistic) DurationAbove(threshold float64) *float64 {
	return s.Value(stats.Above(threshold))
}

// DurationBelow is stats.Below, in seconds.
func (s *Statistic) DurationBelow(threshold float64) *float64 {
	return s.Value(stats.Below(threshold))
}

// Distinct returns how many values the label has; 0 where there are no readings.
func (s *Statistic) Distinct(label string) int64 { return s.number(stats.Distinct(label)) }

// Completeness is stats.Completeness, in the time zone of the window; 0 where there are no readings. Nil for a cell of hours
// with others between them: how many readings were to be expected of them, the bucket does not know.
func (s *Statistic) Completeness(every stats.Period) *float64 {
	switch {
	case s.bucket == nil:
		return new(float64)
	case s.scattered:
		return nil
	}
	return s.Value(stats.Completeness(every, s.zone))
}

// Quantile is stats.Quantile; a fault Invalid for a q outside 0 … 1.
func (s *Statistic) Quantile(q float64) (*float64, error) {
	if err := CheckQuantiles(q); err != nil {
		return nil, err
	}
	return s.Value(stats.Quantile(q)), nil
}

// Quantiles returns the quantiles in the order of q; a fault Invalid for one outside 0 … 1, and for more than MaxQuantiles.
func (s *Statistic) Quantiles(q []float64) ([]*float64, error) {
	if err := CheckQuantiles(q...); err != nil {
		return nil, err
	}
	vs := make([]*float64, len(q))
	for i, q := range q {
		vs[i] = s.Value(stats.Quantile(q))
	}
	return vs, nil
}

// CheckQuantiles returns a fault Invalid unless all of q are from 0 to 1, and MaxQuantiles at most.
func CheckQuantiles(q ...float64) error {
	if len(q) > MaxQuantiles {
		return fault.New(fault.Invalid, "at most %d quantiles at once", MaxQuantiles)
	}
	for _, q := range q {
		if !(q >= 0 && q <= 1) { // NaN is refused, too
			return fault.New(fault.Invalid, "the q of a quantile is from 0 to 1: the median is 0.5, p99 is 0.99")
		}
	}
	return nil
}

// Boxplot returns the quartiles and what belongs to them; nil where there are no readings and nothing fills it.
func (s *Statistic) Boxplot() *stats.Box { return stats.Boxplot(s.Value) }

// Histogram is stats.Histogram, with DefaultBins unless others are asked for; empty where there are no readings. A fault Invalid
// for a number of bins outside 1 … MaxBins, and for a min that is not below max.
func (s *Statistic) Histogram(bins *int, min, max *float64) ([]stats.Bin, error) {
	n, err := CheckHistogram(bins, min, max)
	if err != nil || s.bucket == nil {
		return []stats.Bin{}, err
	}
	defer s.lock()()
	if found := stats.Histogram(s.bucket, n, min, max); found != nil {
		return found, nil
	}
	return []stats.Bin{}, nil
}

// CheckHistogram returns the number of bins that is asked for, DefaultBins where none is, or the fault that Histogram has with it.
func CheckHistogram(bins *int, low, high *float64) (int, error) {
	n := DefaultBins
	if bins != nil {
		n = *bins
	}
	if n < 1 || n > MaxBins {
		return 0, fault.New(fault.Invalid, "a histogram has 1 to %d bins", MaxBins)
	}
	if low != nil && high != nil && !(*low < *high) {
		return 0, fault.New(fault.Invalid, "the min of a histogram is less than its max")
	}
	return n, nil
}
