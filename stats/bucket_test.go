package stats

import (
	"maps"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// A bucket of several series says what one says of each, however they are divided and whichever comes first.
func TestMergedBucketsSayTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := make([]*Bucket, rapid.IntRange(1, 6).Draw(t, "series"))
		for i := range parts {
			rs := anyLine(0).Draw(t, "readings")
			for k := range rs {
				rs[k].Time = 8*rs[k].Time + int64(i) // no two first, no two last
			}
			parts[i] = bucketOf(rs, 5)
			if len(rs) > 0 {
				parts[i].AddLabel("room", string(rune('a'+i%3)))
			}
			if rapid.Bool().Draw(t, "spilled") {
				parts[i].Values.Spill()
			}
		}
		a, b, halves, half := new(Bucket), new(Bucket), new(Bucket), new(Bucket)
		for _, i := range rapid.Permutation(indices(len(parts))).Draw(t, "order") {
			b.Merge(parts[i])
		}
		for i, part := range parts {
			if a.Merge(part); i%2 == 0 {
				half.Merge(part)
			} else {
				halves.Merge(part)
			}
		}
		halves.Merge(half)
		for name, of := range every() {
			want, there := of(a)
			for _, other := range []*Bucket{b, halves} {
				if got, ok := of(other); ok != there || !alike(got, want, 1e6) {
					t.Fatalf("%s is %v, %v, in another order %v, %v", name, want, there, got, ok)
				}
			}
		}
		if a.Series != len(parts) || b.Series != len(parts) || halves.Series != len(parts) || a.Exact() != b.Exact() {
			t.Fatalf("%d series, %d and %d", a.Series, b.Series, halves.Series)
		}
	})
}

func TestAnExtendedBucketReachesOverBoth(t *testing.T) {
	t.Parallel()
	a, b := bucketOf(at(60, 1, 65, 3)), bucketOf(at(10, 5, 30, 15))
	a.AddLabel("room", "2")
	b.AddLabel("room", "3")
	b.Coarse = true
	before := *b
	a.Extend(b)
	if a.Start != 10*minute || a.End != 65*minute+1 || a.From != a.Start || a.To != a.End || a.Series != 1 || a.Exact() {
		t.Errorf("got %+v", a)
	}
	wants(t, a, "count", Count, 4)
	wants(t, a, "first", First, 5)
	wants(t, a, "median", Median, 4)
	wants(t, a, "distinct", Distinct("room"), 2)
	wants(t, a, "rate", Rate, 12.0/1500) // 10 in 20 minutes, 2 in 5
	wants(t, a, "integral", Integral, (10+200)/60.0)
	if !reflect.DeepEqual(*b, before) {
		t.Errorf("the other is changed: %+v", b)
	}
}

func TestAMergedBucketSharesNothing(t *testing.T) {
	t.Parallel()
	a, b := new(Bucket), bucketOf(at(60, 1, 65, 3), 2)
	b.AddLabel("room", "2")
	labels := maps.Clone(b.Labels["room"])
	a.Merge(b)
	a.AddLabel("room", "3")
	a.Merge(bucketOf(at(1, 7, 2, 9), 2))
	a.Values.Quantile(0)
	if !maps.Equal(b.Labels["room"], labels) || b.Line.Above[0] != 150 || b.Values.Count() != 2 || b.Summary.Count != 2 {
		t.Errorf("the other is changed: %+v", b)
	}
}

func TestBucketsAreExactUnlessASketchOrARollupIsNot(t *testing.T) {
	t.Parallel()
	f := func(name string, b *Bucket, want bool) {
		t.Helper()
		if b.Exact() != want {
			t.Errorf("%s: exact is %v", name, !want)
		}
	}
	many := bucketOf(noise(1000, 0, 1))
	f("none", nil, true)
	f("nothing", &Bucket{}, true)
	f("values", many, true)
	f("a coarse rollup", &Bucket{Coarse: true}, false)
	few := bucketOf(distinct(1000, 5))
	few.Values.Spill()
	f("a sketch of few values", few, true)
	few.Merge(many)
	f("a sketch of many", few, false)
	if math.IsNaN(few.Values.Quantile(0.5)) || few.Values.Len() != 0 {
		t.Errorf("it has no median, or keeps %d values", few.Values.Len())
	}
}
