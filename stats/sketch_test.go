package stats

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

// sorted returns the values of rs in ascending order.
func sorted(rs []reading.Reading) []float64 {
	values := make([]float64, len(rs))
	for i, r := range rs {
		values[i] = r.Value
	}
	slices.Sort(values)
	return values
}

// distinct makes n readings of as many values as asked for, of both signs.
func distinct(n, values int) []reading.Reading {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = float64(i%values-values/3) / 4
	}
	return series(vs...)
}

// percentileCont is the quantile q of sorted values as SQL defines it.
func percentileCont(values []float64, q float64) float64 {
	rank := q * float64(len(values)-1)
	low, high := values[int(math.Floor(rank))], values[int(math.Ceil(rank))]
	return low + (rank-math.Floor(rank))*(high-low)
}

// isQuantile reports whether v lies within Accuracy of the quantile q of sorted values; where that lies between two of
// different signs, within Accuracy of the farther one.
func isQuantile(v float64, values []float64, q float64) bool {
	rank := q * float64(len(values)-1)
	low, high := values[int(math.Floor(rank))], values[int(math.Ceil(rank))]
	want := percentileCont(values, q)
	allowed := math.Abs(want)
	if low < 0 && high > 0 {
		allowed = max(-low, high)
	}
	return math.Abs(v-want) <= Accuracy*allowed*(1+1e-9)
}

var quantiles = []float64{0, 0.001, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1}

func TestQuantilesOfFewDistinctValuesAreThoseOfPercentileCont(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(1).Draw(t, "readings")
		q := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom(quantiles)).Draw(t, "q")
		s := NewSketch(rs)
		if !s.Exact() {
			t.Skip("too many values")
		}
		values := sorted(rs)
		want := percentileCont(values, q)
		if got := s.Quantile(q); got != want && math.Abs(got-want) > 1e-12*math.Abs(want) || s.Count() != int64(len(rs)) {
			t.Fatalf("quantile %v of %d is %v, want %v", q, s.Count(), got, want)
		}
	})
}

func TestQuantilesOfManyDistinctValuesLieWithinAccuracy(t *testing.T) {
	t.Parallel()
	f := func(name string, rs []reading.Reading) {
		t.Helper()
		s, values := NewSketch(rs), sorted(rs)
		if s.Exact() {
			t.Errorf("%s: is exact", name)
		}
		for _, q := range quantiles {
			got := s.Quantile(q)
			if want := percentileCont(values, q); !isQuantile(got, values, q) || got < values[0] || got > values[len(values)-1] {
				t.Errorf("%s: quantile %v is %v, want %v", name, q, got, want)
			}
		}
	}
	f("positive", noise(10_000, 100, 10))
	f("negative", noise(10_000, -100, 10))
	f("of both signs", noise(10_000, 0, 10))
	f("with zeros", append(noise(10_000, 0, 1), series(make([]float64, 5000)...)...))
	f("from the least to the greatest", func() []reading.Reading {
		var values []float64
		for e := -1000; e < 1023; e++ {
			values = append(values, math.Ldexp(1.3, e), -math.Ldexp(1.7, e))
		}
		return series(values...)
	}())
}

// There are no bins for the very greatest values; those of the last one stand for them.
func TestQuantilesOfTheGreatestValuesStayAmongThem(t *testing.T) {
	t.Parallel()
	var values []float64
	for i := range 1000 {
		values = append(values, math.MaxFloat64*(1-float64(i)/4000))
	}
	s := NewSketch(series(values...))
	for _, q := range quantiles {
		if got := s.Quantile(q); got < values[999] || got > values[0] {
			t.Errorf("quantile %v is %v", q, got)
		}
	}
}

func TestNeighboursInBinsAreFoundTogetherAsEachAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-5, 20), 1, 60).Draw(t, "values")
		s := NewSketch(series(values...))
		s.Spill()
		for i := range s.count {
			v, next := s.rankedBins(i)
			if v != s.binned(i) || next != s.binned(min(i+1, s.count-1)) {
				t.Fatalf("at rank %d of %d: %v and %v, alone %v and %v", i, s.count, v, next, s.binned(i), s.binned(min(i+1, s.count-1)))
			}
		}
	})
}

func TestSketchIsExactUpToMaxExactValues(t *testing.T) {
	t.Parallel()
	f := func(values int, want bool) {
		t.Helper()
		rs := distinct(5000, values)
		s := NewSketch(rs)
		if s.Exact() != want || s.Count() != 5000 {
			t.Errorf("%d values: exact %v, count %d", values, s.Exact(), s.Count())
		}
		parsed, err := ParseSketch(s.Append(nil))
		if err != nil || parsed.Exact() != want || parsed.Count() != 5000 {
			t.Errorf("%d values, parsed: %v, %v", values, parsed, err)
		}
	}
	f(1, true)
	f(MaxExact, true)
	f(MaxExact+1, false)
}

func TestMergedSketchesOfTooManyValuesAreNotExact(t *testing.T) {
	t.Parallel()
	rs := distinct(MaxExact+1, MaxExact+1)
	s := NewSketch(rs[:200])
	if s.Merge(NewSketch(rs[100:MaxExact])); !s.Exact() {
		t.Errorf("not exact with %d values", MaxExact)
	}
	if s.Merge(NewSketch(rs[MaxExact:])); s.Exact() {
		t.Errorf("exact with %d values", MaxExact+1)
	}
}

// The distance of these two is beyond float64, what lies between them is not.
func TestQuantileBetweenTheFarthestValuesIsFinite(t *testing.T) {
	t.Parallel()
	s := NewSketch(series(-math.MaxFloat64, math.MaxFloat64))
	if got := s.Quantile(0.5); got != 0 {
		t.Errorf("the median is %v", got)
	}
}

func TestZerosOfBothSignsAreOneValue(t *testing.T) {
	t.Parallel()
	s := NewSketch(series(0, math.Copysign(0, -1), 0))
	if len(s.exact) != 1 || math.Signbit(s.Quantile(0.5)) {
		t.Errorf("got %v, median %v", s.exact, s.Quantile(0.5))
	}
}

func TestSketchOfNothing(t *testing.T) {
	t.Parallel()
	s := NewSketch(nil)
	if s.Count() != 0 || !s.Exact() || !math.IsNaN(s.Quantile(0.5)) {
		t.Errorf("count %d, exact %v, median %v", s.Count(), s.Exact(), s.Quantile(0.5))
	}
	parsed, err := ParseSketch(s.Append(nil))
	if err != nil || parsed.Count() != 0 {
		t.Errorf("parsed: %v, %v", parsed, err)
	}
	s.Merge(NewSketch(series(5, 3)))
	if s.Quantile(0) != 3 || s.Quantile(1) != 5 || s.Count() != 2 {
		t.Errorf("merged: %v … %v", s.Quantile(0), s.Quantile(1))
	}
	if got := s.Quantile(math.NaN()); !math.IsNaN(got) {
		t.Errorf("quantile NaN is %v", got)
	}
	if s.Quantile(-3) != 3 || s.Quantile(7) != 5 {
		t.Errorf("beyond the ends: %v, %v", s.Quantile(-3), s.Quantile(7))
	}
}

// However readings are divided, what they merge to has the same bytes.
func TestMergedSketchIsThatOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 200, 256, 257, 300, 700, 3000}).Draw(t, "values")
		rs := distinct(3000, n)
		first := rapid.IntRange(0, len(rs)).Draw(t, "cut")
		second := rapid.IntRange(first, len(rs)).Draw(t, "cut")
		merged, rest := NewSketch(rs[:first]), NewSketch(rs[first:second])
		rest.Merge(NewSketch(rs[second:]))
		before := rest.Append(nil)
		merged.Merge(rest)
		if got, want := merged.Append(nil), NewSketch(rs).Append(nil); !bytes.Equal(got, want) || merged.Count() != 3000 {
			t.Fatalf("count %d, exact %v: got %x, want %x", merged.Count(), merged.Exact(), got, want)
		}
		if !bytes.Equal(rest.Append(nil), before) {
			t.Fatal("Merge has changed the other")
		}
	})
}

func TestAnySketchComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.Float64()).Draw(t, "values")
		s := NewSketch(series(values...))
		src := s.Append([]byte("before"))[len("before"):]
		parsed, err := ParseSketch(src)
		if err != nil || !bytes.Equal(parsed.Append(nil), src) || parsed.Count() != s.Count() {
			t.Fatalf("got %v, %v of %v", parsed, err, s)
		}
		for _, q := range quantiles {
			if a, b := s.Quantile(q), parsed.Quantile(q); math.Float64bits(a) != math.Float64bits(b) {
				t.Fatalf("quantile %v was %v, is %v", q, a, b)
			}
		}
	})
}

func TestSketchesAreSmall(t *testing.T) {
	t.Parallel()
	f := func(name string, rs []reading.Reading, most int) {
		t.Helper()
		if got := len(NewSketch(rs).Append(nil)); got > most {
			t.Errorf("%s: %d bytes, at most %d are expected", name, got, most)
		}
	}
	f("a constant", distinct(8640, 1), 30)
	f("256 values", distinct(8640, 256), 700)
	f("a gauge", noise(8640, 20, 1), 100)
	f("of both signs", noise(8640, 0, 1), 1500)
}

func TestParseSketchRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	f := func(name string, src []byte) {
		t.Helper()
		if s, err := ParseSketch(src); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	exact := func(rs ...reading.Reading) []byte { return reading.Encode([]byte{exactForm}, rs) }
	var many []reading.Reading
	for i := range MaxExact + 1 {
		many = append(many, reading.Reading{Time: int64(i + 1), Value: float64(i)})
	}
	f("nothing", nil)
	f("a form from the future", []byte{3, 1, 2, 3})
	f("no entry", []byte{exactForm, 1, 2})
	f("a damaged entry", append(exact(many[:5]...), 0))
	f("too many values", exact(many...))
	f("values out of order", exact(reading.Reading{Time: 1, Value: 2}, reading.Reading{Time: 2, Value: 1}))
	f("a value twice", exact(reading.Reading{Time: 1, Value: 2}, reading.Reading{Time: 2, Value: 2}))
	f("no count", exact(reading.Reading{Time: 0, Value: 2}))
	f("more than can be counted", exact(reading.Reading{Time: maxCount + 1, Value: 2}))
	f("another series", exact(reading.Reading{Series: 1, Time: 1, Value: 2}))
	f("no number", exact(reading.Reading{Time: 1, Value: math.NaN()}))
	f("infinity", exact(reading.Reading{Time: 1, Value: math.Inf(1)}))

	src := NewSketch(noise(5000, 0, 1)).Append(nil)
	for i := range src {
		f("cut short", src[:i])
	}
	ends := func(low, high float64, bins ...byte) []byte {
		s := &Sketch{count: 1, min: low, max: high, bins: newBins()}
		return append(s.Append(nil), bins...)
	}
	const contiguous, one = 0b11_00 | 1, 2 // bins of the positive store; a count of 1 as a varfloat64
	if s, err := ParseSketch(ends(1, 2, contiguous, 1, 0, 2, one)); err != nil || s.Count() != 1 {
		t.Fatalf("the example is not well formed: %v, %v", s, err)
	}
	f("no bins", ends(1, 2))
	f("ends that are no numbers", ends(math.NaN(), 2, contiguous, 1, 0, 2, one))
	f("ends the wrong way round", ends(2, 1, contiguous, 1, 0, 2, one))
	f("a bin beyond the greatest", ends(1, 2, contiguous, 1, 0xfe, 0xff, 0xff, 0xff, 0xf, 2, one))
	f("half a reading", ends(1, 2, contiguous, 1, 0, 2, 0xff))
	f("fewer bins than told", ends(1, 2, contiguous, 2, 0, 2, one))
	f("an unknown flag", ends(1, 2, contiguous, 1, 0, 2, one, 0xfc))
}

var update = flag.Bool("update", false, "write golden files that are missing")

// The golden files are sketches as they lie in people's databases: never change one.
func TestGoldenSketchesStayReadable(t *testing.T) {
	t.Parallel()
	f := func(name string, rs []reading.Reading) {
		t.Helper()
		path := filepath.Join("testdata", name)
		want := NewSketch(rs)
		src, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && *update {
			src = want.Append(nil)
			err = os.WriteFile(path, src, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseSketch(src)
		if err != nil || got.Count() != want.Count() || got.Exact() != want.Exact() {
			t.Fatalf("%s: got %v, %v", name, got, err)
		}
		for _, q := range quantiles {
			if a, b := got.Quantile(q), want.Quantile(q); a != b {
				t.Errorf("%s: quantile %v is %v, want %v", name, q, a, b)
			}
		}
	}
	f("exact.v1", distinct(1000, 200))
	f("bins.v1", distinct(5000, 2500))
}

func FuzzParseSketch(f *testing.F) {
	f.Add(NewSketch(nil).Append(nil))
	f.Add(NewSketch(distinct(300, 7)).Append(nil))
	f.Add(NewSketch(distinct(3000, 1000)).Append(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := ParseSketch(src)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || s != nil {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		s.Merge(NewSketch(distinct(300, 7)))
		last := s.Quantile(0)
		for _, q := range quantiles {
			v := s.Quantile(q)
			if math.IsNaN(v) || v < last {
				t.Fatalf("quantile %v is %v, after %v", q, v, last)
			}
			last = v
		}
		if again, err := ParseSketch(s.Append(nil)); err != nil || again.Count() != s.Count() {
			t.Fatalf("what was parsed does not come back: %v, %v", again, err)
		}
	})
}

func BenchmarkNewSketch(b *testing.B) {
	for name, rs := range map[string][]reading.Reading{"exact": distinct(8640, 200), "bins": noise(8640, 20, 1)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				NewSketch(rs)
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}

func BenchmarkParseSketchAndMerge(b *testing.B) {
	for name, rs := range map[string][]reading.Reading{"exact": distinct(8640, 200), "bins": noise(8640, 20, 1)} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			src := NewSketch(rs).Append(nil)
			sum := NewSketch(nil)
			b.ReportAllocs()
			for b.Loop() {
				s, err := ParseSketch(src)
				if err != nil {
					b.Fatal(err)
				}
				sum.Merge(s)
			}
			b.ReportMetric(float64(len(src)), "B/sketch")
		})
	}
}
