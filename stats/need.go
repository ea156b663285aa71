package stats

import "slices"

// Need is what statistics need of a bucket, beside its Summary or only a part of that.
type Need struct {
	Values     bool      // Bucket.Values: quantiles, histograms
	Line       bool      // Bucket.Line: whatever is about time between readings
	Thresholds []float64 // of the line, the time above and below these: ascending and distinct
	Labels     []string  // Bucket.Labels: ascending and distinct

	// Plain says that of the Summary only Count, Sum, Min and Max are looked at: the rest is 0 then. It means nothing beside
	// Line.
	Plain bool
}

// And returns what both need.
func (n Need) And(o Need) Need {
	return Need{
		Values:     n.Values || o.Values,
		Line:       n.Line || o.Line,
		Thresholds: union(n.Thresholds, o.Thresholds),
		Labels:     union(n.Labels, o.Labels),
		Plain:      n.Plain && o.Plain,
	}
}

func union[T float64 | string](a, b []T) []T {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
