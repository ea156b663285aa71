package stats

import (
	"errors"
	"reflect"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestParseFillTakesTheFiveKinds(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Fill{
		"NONE": FillNone, "none": FillNone, "null": FillNull, "Zero": FillZero, "PREVIOUS": FillPrevious, "linear": FillLinear,
	} {
		if got, err := ParseFill(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "last", "none ", "NAN", "ＮＯＮＥ"} {
		var f *fault.Error
		if got, err := ParseFill(name); !errors.As(err, &f) || f.Code != fault.Invalid || got != "" {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// hourly makes buckets of an hour with a reading of each value, none where it is NaN.
func hourly(values ...float64) (buckets []*Bucket, bounds []int64) {
	for i, v := range values {
		bounds = append(bounds, int64(i)*hour)
		var b *Bucket
		if v == v {
			b = bucketOf(at(float64(i)*60+30, v))
			b.Start, b.End = int64(i)*hour, int64(i+1)*hour
		}
		buckets = append(buckets, b)
	}
	return buckets, append(bounds, int64(len(values))*hour)
}

func TestGapsKnowTheirNeighbours(t *testing.T) {
	t.Parallel()
	buckets, bounds := hourly(nothing, 2, nothing, nothing, 8, nothing)
	buckets[3] = &Bucket{Start: 3 * hour, End: 4 * hour, Series: 1} // there, but without readings
	got := Gaps(buckets, bounds)
	want := []Gap{
		{After: buckets[1]},
		{},
		{Before: buckets[1], After: buckets[4], Share: 1.0 / 3},
		{Before: buckets[1], After: buckets[4], Share: 2.0 / 3},
		{},
		{Before: buckets[4]},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Gaps([]*Bucket{nil, nil}, []int64{0, 1, 2}); !reflect.DeepEqual(got, make([]Gap, 2)) {
		t.Errorf("got %+v of none", got)
	}
	if got := Gaps(nil, nil); len(got) != 0 {
		t.Errorf("got %+v of nothing", got)
	}
}

// Buckets need not be equally long, as months are not: what counts is where their middles are.
func TestGapsAreSharedByTime(t *testing.T) {
	t.Parallel()
	first, last := &Bucket{Start: 0, End: 2, Summary: Summary{Count: 1}}, &Bucket{Start: 8, End: 14, Summary: Summary{Count: 1}}
	got := Gaps([]*Bucket{first, nil, last}, []int64{0, 2, 8, 14})
	if got[1].Share != 0.4 { // 1 to 5 to 11
		t.Errorf("got %v", got[1].Share)
	}
}

func TestFillsShowWhatTheySay(t *testing.T) {
	t.Parallel()
	buckets, bounds := hourly(nothing, 2, nothing, nothing, 8, nothing)
	gaps := Gaps(buckets, bounds)
	f := func(fill Fill, want ...float64) {
		t.Helper()
		empty := []Gap{gaps[0], gaps[2], gaps[3], gaps[5]}
		for i, gap := range empty {
			wants(t, nil, string(fill), func(*Bucket) (float64, bool) { return fill.Value(Mean, gap) }, want[i])
		}
	}
	f(FillNone, nothing, nothing, nothing, nothing)
	f(FillNull, nothing, nothing, nothing, nothing)
	f(FillZero, 0, 0, 0, 0)
	f(FillPrevious, nothing, 2, 2, 8)
	f(FillLinear, nothing, 4, 6, nothing)
	f("", nothing, nothing, nothing, nothing)
	wants(t, nil, "variance of one reading", func(*Bucket) (float64, bool) { return FillLinear.Value(Variance, gaps[2]) }, nothing)
	wants(t, nil, "variance of one reading", func(*Bucket) (float64, bool) { return FillPrevious.Value(Variance, gaps[2]) }, nothing)
	halfway := Gap{Before: buckets[1], After: bucketOf(at(9, 1, 10, 2)), Share: 0.5}
	wants(t, nil, "variance of one reading", func(*Bucket) (float64, bool) { return FillLinear.Value(Variance, halfway) }, nothing)
	halfway.Before, halfway.After = halfway.After, halfway.Before
	wants(t, nil, "variance of one reading", func(*Bucket) (float64, bool) { return FillLinear.Value(Variance, halfway) }, nothing)
}
