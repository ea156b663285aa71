package stats

// LineTotal is what the lines of some series measure in one bucket, summed up over the series. The zero value is that
// of none.
type LineTotal struct {
	Series int // how many have readings in the bucket; 0 when lines only pass through it

	Seconds, Area, Increase float64 // as in Line, of each series its share in the bucket

	Delta float64 // the sum of the differences between the last and the first reading in the bucket
	Rate  float64 // the sum of the rates: Increase / Seconds of each series

	Thresholds   []float64
	Above, Below []float64 // by threshold, in seconds
}

// Merge adds o, of other series in the same place.
func (t *LineTotal) Merge(o LineTotal) {
	t.Series += o.Series
	t.Rate += o.Rate
	t.sum(o)
}

// Extend adds o, of the same series in another place. Delta is then the sum of both, without what changed between them,
// and Rate their mean by the time that they cover: that of all for one series, and for several where they cover the same
// time. Whoever wants those of the whole stretch joins the lines over its bounds.
func (t *LineTotal) Extend(o LineTotal) {
	t.Series = max(t.Series, o.Series)
	if covered := t.Seconds + o.Seconds; covered > 0 {
		t.Rate = float64(t.Rate*(t.Seconds/covered)) + float64(o.Rate*(o.Seconds/covered))
	}
	t.sum(o)
}

func (t *LineTotal) sum(o LineTotal) {
	t.Seconds += o.Seconds
	t.Area += o.Area
	t.Increase += o.Increase
	t.Delta += o.Delta
	if len(t.Thresholds) == 0 {
		t.Thresholds = o.Thresholds
		t.Above, t.Below = append([]float64(nil), o.Above...), append([]float64(nil), o.Below...)
		return
	}
	for i := range o.Above {
		t.Above[i] += o.Above[i]
		t.Below[i] += o.Below[i]
	}
}
