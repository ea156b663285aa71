package stats

import (
	"testing"

	"github.com/readout-dev/readout/reading"
)

func TestDigestTellsBucketsApartByWhatTheyShow(t *testing.T) {
	t.Parallel()
	collect := func(change func(*Bucket), values ...float64) uint64 {
		rs := make([]reading.Reading, len(values))
		for i, v := range values {
			rs[i] = reading.Reading{Time: int64(i), Value: v}
		}
		b := &Bucket{Start: 1, End: 2, Series: 1, Summary: Summarize(rs)}
		b.Values.AddValues(rs)
		b.AddLabel("room", "1")
		change(b)
		return b.Digest(false)
	}
	same := func(*Bucket) {}
	first := collect(same, 1, 2, 3, 4)
	for name, change := range map[string]func(*Bucket){
		"as it is":          same,
		"asked to a later":  func(b *Bucket) { b.To = 7 },
		"after a quantile":  func(b *Bucket) { b.Values.Quantile(0.5) },
		"label known twice": func(b *Bucket) { b.AddLabel("room", "1") },
		"order of values": func(b *Bucket) {
			b.Values = Distribution{}
			b.Values.AddValues([]reading.Reading{{Value: 4}, {Value: 1}, {Value: 3}, {Value: 2}})
		},
	} {
		if collect(change, 1, 2, 3, 4) != first {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, change := range map[string]func(*Bucket){
		"count": func(b *Bucket) { b.Summary.Count++ }, "last": func(b *Bucket) { b.Summary.Last = 5 },
		"area": func(b *Bucket) { b.Line.Area = 1 }, "above": func(b *Bucket) { b.Line.Above = []float64{1} },
		"label": func(b *Bucket) { b.AddLabel("room", "2") }, "coarse": func(b *Bucket) { b.Coarse = true },
		"series": func(b *Bucket) { b.Series = 2 },
		"a value": func(b *Bucket) {
			b.Values = Distribution{}
			b.Values.AddValues([]reading.Reading{{Value: 1}, {Value: 2.5}, {Value: 2.5}, {Value: 4}})
		},
	} {
		if collect(change, 1, 2, 3, 4) == first {
			t.Errorf("%s: the same digest", name)
		}
	}
	if (*Bucket)(nil).Digest(false) != (&Bucket{Series: 3}).Digest(false) {
		t.Error("no readings: another digest than no bucket")
	}
}

func TestDigestWithExtentCountsThePartThatWasAskedFor(t *testing.T) {
	t.Parallel()
	b, later := Bucket{From: 1, To: 2, Series: 1}, Bucket{From: 1, To: 3, Series: 1}
	for range 2 {
		if b.Digest(true) == later.Digest(true) || b.Digest(false) != later.Digest(false) {
			t.Errorf("of %d readings: got %x and %x", b.Summary.Count, b.Digest(true), later.Digest(true))
		}
		b.Summary = Summarize([]reading.Reading{{Time: 1, Value: 1}})
		later.Summary = b.Summary
	}
}
