package stats

// Bucket is what was collected of the readings of one series, or of a group of series, in one bucket of a window: what
// the statistics are computed from. How much of it is collected says a Need; Summary always is, or what is plain of it.
//
// Not safe for concurrent use, not even by readers: quantiles reorder the values.
type Bucket struct {
	Start, End int64 // its place: µs since 1970, from Start (inclusive) to End (exclusive)
	From, To   int64 // the part of it that was asked for, likewise: readings outside are not in it
	Series     int   // how many series it is about, also those without readings in it

	Summary Summary
	Values  Distribution
	Line    LineTotal
	// Labels has of each label of Need.Labels the values that series with readings in it have: nil where there is no such need.
	Labels map[string]map[string]struct{}

	Coarse bool // a rollup is in it that reaches beyond it, or is missing from it for one that does: nothing is exact
}

// Empty reports whether there are no readings in b, or no b at all.
func (b *Bucket) Empty() bool { return b == nil || b.Summary.Count == 0 }

// Exact reports whether all statistics of b are what the readings themselves give. Otherwise quantiles and histograms
// lie within Accuracy of it, and, of a Coarse bucket, everything is only about so.
func (b *Bucket) Exact() bool { return b == nil || !b.Coarse && b.Values.Exact() }

// Merge adds o, a bucket of other series in the same place, which stays as it is. However series are divided among
// buckets, these merge to the same, but for the rounding of sums.
func (b *Bucket) Merge(o *Bucket) {
	b.Series += o.Series
	b.Line.Merge(o.Line)
	b.gather(o)
}

// Extend adds o, a bucket of the same series in another place, which stays as it is: b's place then reaches from the
// beginning of the first to the end of the last, whatever is between them. Line is extended as LineTotal.Extend says.
func (b *Bucket) Extend(o *Bucket) {
	b.Start, b.End = min(b.Start, o.Start), max(b.End, o.End)
	b.From, b.To = min(b.From, o.From), max(b.To, o.To)
	b.Series = max(b.Series, o.Series)
	b.Line.Extend(o.Line)
	b.gather(o)
}

// gather adds what does not ask whose readings o's are.
func (b *Bucket) gather(o *Bucket) {
	b.Summary = b.Summary.Merge(o.Summary)
	b.Values.Merge(&o.Values)
	if b.Labels == nil && o.Labels != nil {
		b.Labels = make(map[string]map[string]struct{}, len(o.Labels))
	}
	for label, values := range o.Labels {
		for value := range values {
			b.AddLabel(label, value)
		}
	}
	b.Coarse = b.Coarse || o.Coarse
}

// AddLabel notes that a series with readings in b has this value of the label, and reports whether no other had it.
func (b *Bucket) AddLabel(label, value string) (added bool) {
	if b.Labels == nil {
		b.Labels = make(map[string]map[string]struct{})
	}
	values := b.Labels[label]
	if values == nil {
		values = make(map[string]struct{})
		b.Labels[label] = values
	}
	had := len(values)
	values[value] = struct{}{}
	return len(values) > had
}

// clone returns a copy that can be changed without changing b.
func (b *Bucket) clone() *Bucket {
	c := &Bucket{Start: b.Start, End: b.End, From: b.From, To: b.To}
	c.Merge(b)
	return c
}
