package analysis_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// key names a series.
type key struct{ project, series int64 }

// model is what the readings are as one would explain it: the last value of each series and time that is not deleted.
type model map[key]map[int64]float64

func (m model) append(project int64, rs ...reading.Reading) {
	for _, r := range rs {
		k := key{project, r.Series}
		if m[k] == nil {
			m[k] = make(map[int64]float64)
		}
		m[k][r.Time] = r.Value
	}
}

func (m model) delete(project int64, d reading.Deletion) {
	maps.DeleteFunc(m[key{project, d.Series}], func(t int64, _ float64) bool { return d.Covers(t) })
}

// all returns the readings of a series in the order of time.
func (m model) all(k key) []reading.Reading {
	rs := make([]reading.Reading, 0, len(m[k]))
	for t, v := range m[k] {
		rs = append(rs, reading.Reading{Series: k.series, Time: t, Value: v})
	}
	slices.SortFunc(rs, reading.Compare)
	return rs
}

// naive is what is to be said of a bucket, computed from all readings again, one by one.
type naive struct {
	sum, m2         float64
	first, last     float64
	firstAt, lastAt int64
	values          []float64 // ascending
	labels          map[string]map[string]struct{}

	seconds, area, increase, delta, rate float64
	above, below                         map[float64]float64
}

// naiveOf computes the bucket from <= time < to of a group. The readings of all members are given by key.
func naiveOf(members []analysis.Member, need stats.Need, readings map[key][]reading.Reading, from, to int64) *naive {
	n := &naive{labels: map[string]map[string]struct{}{}, above: map[float64]float64{}, below: map[float64]float64{}}
	var inside []reading.Reading
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b analysis.Member) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Series, b.Series))
	})
	for _, m := range members {
		rs := readings[key{m.Project, m.Series}]
		low := sort.Search(len(rs), func(i int) bool { return rs[i].Time >= from })
		high := sort.Search(len(rs), func(i int) bool { return rs[i].Time >= to })
		inside = append(inside, rs[low:high]...)
		n.trace(rs, need.Thresholds, from, to)
		if low == high {
			continue
		}
		n.delta += rs[high-1].Value - rs[low].Value
		for _, name := range need.Labels {
			if value, ok := m.Labels[name]; ok {
				if n.labels[name] == nil {
					n.labels[name] = map[string]struct{}{}
				}
				n.labels[name][value] = struct{}{}
			}
		}
	}
	slices.SortStableFunc(inside, func(a, b reading.Reading) int { return cmp.Compare(a.Time, b.Time) })
	for _, r := range inside {
		n.sum += r.Value
		n.values = append(n.values, r.Value)
	}
	if len(inside) == 0 {
		return n
	}
	for _, r := range inside {
		d := r.Value - n.sum/float64(len(inside))
		n.m2 += d * d
	}
	first, last := inside[0], inside[len(inside)-1]
	n.first, n.firstAt, n.last, n.lastAt = first.Value, first.Time, last.Value, last.Time
	slices.Sort(n.values)
	return n
}

// trace adds what the line through all readings of a series measures between two times.
func (n *naive) trace(rs []reading.Reading, thresholds []float64, from, to int64) {
	var seconds, increase float64
	for i := range max(len(rs)-1, 0) {
		a, b := rs[i], rs[i+1]
		width := b.Time - a.Time
		low, high := max(a.Time, from), min(b.Time, to)
		if width > 24*hour || low >= high {
			continue
		}
		at := func(t int64) float64 {
			return a.Value + (b.Value-a.Value)*float64(t-a.Time)/float64(width)
		}
		part := float64(high-low) / 1e6
		seconds += part
		n.area += part * (at(low) + at(high)) / 2
		rise := b.Value - a.Value
		if rise < 0 {
			rise = b.Value // the counter began anew
		}
		increase += rise * float64(high-low) / float64(width)
		for _, x := range thresholds {
			above := share(at(low), at(high), x)
			n.above[x] += part * above
			n.below[x] += part * share(-at(low), -at(high), -x)
		}
	}
	n.seconds += seconds
	n.increase += increase
	if seconds > 0 {
		n.rate += increase / seconds
	}
}

// share returns which share of the way from a to b lies above x.
func share(a, b, x float64) float64 {
	switch {
	case a > x && b > x, a > x && b == x, a == x && b > x:
		return 1
	case a <= x && b <= x:
		return 0
	case a > x:
		return (a - x) / (a - b)
	}
	return (b - x) / (b - a)
}

// quantile is percentile_cont, and the readings it lies between.
func (n *naive) quantile(q float64) (v, low, high float64) {
	rank := q * float64(len(n.values)-1)
	i := int(math.Floor(rank))
	low = n.values[i]
	if i+1 == len(n.values) {
		return low, low, low
	}
	high = n.values[i+1]
	return low + (rank-float64(i))*(high-low), low, high
}

// differs says what of a bucket is not as it should be, "" if nothing. It knows no Coarse ones.
func (n *naive) differs(b *stats.Bucket, need stats.Need) string {
	if b.Empty() {
		if len(n.values) > 0 {
			return fmt.Sprintf("no bucket of %d readings", len(n.values))
		}
		return ""
	}
	s := b.Summary
	scale := 0.0
	for _, v := range n.values {
		scale = max(scale, math.Abs(v))
	}
	near := func(got, want, scale float64) bool { return math.Abs(got-want) <= 1e-9*max(scale, math.Abs(want)) }
	size := float64(max(len(n.values), 1)) * scale
	plain := need.Plain && !need.Line
	switch {
	case plain && s != s.Plain():
		return fmt.Sprintf("%+v is not plain", s)
	case s.Count != len(n.values):
		return fmt.Sprintf("%d readings instead of %d", s.Count, len(n.values))
	case !plain && (s.FirstAt != n.firstAt || s.LastAt != n.lastAt || s.First != n.first || s.Last != n.last):
		return fmt.Sprintf("first %v at %d, last %v at %d instead of %v at %d, %v at %d", s.First, s.FirstAt, s.Last, s.LastAt,
			n.first, n.firstAt, n.last, n.lastAt)
	case s.Min != n.values[0] || s.Max != n.values[len(n.values)-1]:
		return fmt.Sprintf("%v … %v instead of %v … %v", s.Min, s.Max, n.values[0], n.values[len(n.values)-1])
	case !near(s.Sum, n.sum, size):
		return fmt.Sprintf("a sum of %v instead of %v", s.Sum, n.sum)
	case !plain && !near(s.M2, n.m2, size*scale):
		return fmt.Sprintf("an m2 of %v instead of %v", s.M2, n.m2)
	case len(need.Labels) > 0 && !maps.EqualFunc(b.Labels, n.labels, maps.Equal):
		return fmt.Sprintf("labels %v instead of %v", b.Labels, n.labels)
	}
	if need.Line {
		if text := n.lineDiffers(b, need, near, scale); text != "" {
			return text
		}
	}
	if need.Values {
		return n.quantilesDiffer(b)
	}
	return ""
}

func (n *naive) lineDiffers(b *stats.Bucket, need stats.Need, near func(got, want, scale float64) bool, scale float64) string {
	l := b.Line
	size := (n.seconds + 1) * max(scale, 1)
	switch {
	case !near(l.Seconds, n.seconds, 1):
		return fmt.Sprintf("%v s instead of %v", l.Seconds, n.seconds)
	case !near(l.Area, n.area, size):
		return fmt.Sprintf("an area of %v instead of %v", l.Area, n.area)
	case !near(l.Increase, n.increase, size):
		return fmt.Sprintf("an increase of %v instead of %v", l.Increase, n.increase)
	case !near(l.Delta, n.delta, size):
		return fmt.Sprintf("a delta of %v instead of %v", l.Delta, n.delta)
	case !near(l.Rate, n.rate, size):
		return fmt.Sprintf("a rate of %v instead of %v", l.Rate, n.rate)
	}
	for i, x := range need.Thresholds {
		if !near(l.Above[i], n.above[x], n.seconds+1) || !near(l.Below[i], n.below[x], n.seconds+1) {
			return fmt.Sprintf("%v s above %v and %v below instead of %v and %v", l.Above[i], x, l.Below[i], n.above[x], n.below[x])
		}
	}
	return ""
}

func (n *naive) quantilesDiffer(b *stats.Bucket) string {
	if got := b.Values.Count(); got != len(n.values) {
		return fmt.Sprintf("%d values instead of %d", got, len(n.values))
	}
	exact := b.Exact()
	if few := len(slices.Compact(slices.Clone(n.values))) <= stats.MaxExact; few && !exact {
		return "not exact though there are few values"
	}
	for _, q := range []float64{0, 0.05, 0.5, 0.9, 0.99, 1} {
		got, _ := stats.Quantile(q)(b)
		want, low, high := n.quantile(q)
		if exact && math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			return fmt.Sprintf("quantile %v is %v instead of %v", q, got, want)
		}
		slack := 1.0001 * stats.Accuracy
		if !exact && (got < low-slack*math.Abs(low)-1e-12 || got > high+slack*math.Abs(high)+1e-12) {
			return fmt.Sprintf("quantile %v is %v, not near %v", q, got, want)
		}
	}
	return ""
}
