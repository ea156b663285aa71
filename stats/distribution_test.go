package stats

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

func TestQuantilesOfValuesAreThoseOfPercentileCont(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(1).Draw(t, "readings")
		var d Distribution
		cut := rapid.IntRange(0, len(rs)).Draw(t, "cut")
		d.AddValues(rs[:cut])
		d.AddValues(rs[cut:])
		values := sorted(rs)
		for _, q := range rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom(quantiles)), 1, 8).Draw(t, "quantiles") {
			want := percentileCont(values, q)
			if got := d.Quantile(q); math.Abs(got-want) > 1e-12*math.Abs(want) || !d.Exact() || d.Count() != len(rs) {
				t.Fatalf("quantile %v of %d is %v, want %v", q, d.Count(), got, want)
			}
		}
	})
}

// What is exact has one answer, whichever way it was collected, to the last bit.
func TestQuantilesOfValuesAndOfExactSketchesAreTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := distinct(rapid.IntRange(1, 3000).Draw(t, "readings"), rapid.IntRange(1, MaxExact).Draw(t, "values"))
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		var d Distribution
		d.AddValues(rs)
		if got, want := d.Quantile(q), NewSketch(rs).Quantile(q); math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("quantile %v is %v of values, %v of a sketch", q, got, want)
		}
	})
}

func TestQuantilesOfSpilledAndOfMergedValuesLieWithinAccuracy(t *testing.T) {
	t.Parallel()
	for name, rs := range shapes(20_000) {
		values := sorted(rs)
		for way, d := range waysToSketch(rs) {
			for _, q := range append([]float64{0.05, 0.1, 0.33, 0.9}, quantiles...) {
				got, want := d.Quantile(q), percentileCont(values, q)
				if !isQuantile(got, values, q) || got < values[0] || got > values[len(values)-1] {
					t.Errorf("%s, %s: quantile %v is %v, want %v", name, way, q, got, want)
				}
				if (q == 0 || q == 1) && got != want {
					t.Errorf("%s, %s: quantile %v is %v, want %v", name, way, q, got, want)
				}
				if d.Exact() && math.Abs(got-want) > 1e-12*math.Abs(want) {
					t.Errorf("%s, %s: quantile %v is %v and exact, want %v", name, way, q, got, want)
				}
			}
			if d.Count() != len(rs) || d.Exact() != (name == "constant" || name == "few values") {
				t.Errorf("%s, %s: %d readings, exact %v", name, way, d.Count(), d.Exact())
			}
		}
	}
}

// waysToSketch makes distributions of the same readings in different ways.
func waysToSketch(rs []reading.Reading) map[string]*Distribution {
	var spilled, merged, mixed, halves, half Distribution
	spilled.AddValues(rs)
	spilled.Spill()
	for part := range slices.Chunk(rs, 700) {
		merged.AddSketch(NewSketch(part))
	}
	mixed.AddValues(rs[:5000])
	mixed.AddSketch(NewSketch(rs[5000:12_000]))
	mixed.AddValues(rs[12_000:])
	half.AddValues(rs[9000:])
	half.Spill()
	halves.AddValues(rs[:9000])
	halves.Merge(&half)
	return map[string]*Distribution{"spilled": &spilled, "merged": &merged, "mixed": &mixed, "halves": &halves}
}

func TestOrderDoesNotChangeADistribution(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := noise(rapid.SampledFrom([]int{10, 300, 2000}).Draw(t, "readings"), 1, 3)
		if rapid.Bool().Draw(t, "quantised") {
			rs = distinct(len(rs), 50)
		}
		parts := slices.Collect(slices.Chunk(rs, max(1, len(rs)/7)))
		sketched := rapid.SliceOfN(rapid.Bool(), len(parts), len(parts)).Draw(t, "sketched")
		collect := func(order []int) *Distribution {
			d := new(Distribution)
			for _, i := range order {
				var part Distribution
				if part.AddValues(parts[i]); sketched[i] {
					part.Spill()
				}
				d.Merge(&part)
			}
			return d
		}
		order := rapid.Permutation(indices(len(parts))).Draw(t, "order")
		a, b := collect(indices(len(parts))), collect(order)
		if a.Exact() != b.Exact() || a.Count() != len(rs) || b.Count() != len(rs) {
			t.Fatalf("exact %v and %v, %d and %d readings", a.Exact(), b.Exact(), a.Count(), b.Count())
		}
		for _, q := range quantiles {
			if x, y := a.Quantile(q), b.Quantile(q); math.Float64bits(x) != math.Float64bits(y) {
				t.Fatalf("quantile %v is %v, in another order %v", q, x, y)
			}
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestMergeAndAddSketchLeaveTheOtherAlone(t *testing.T) {
	t.Parallel()
	s := NewSketch(distinct(500, 20))
	before := s.Append(nil)
	var d, o Distribution
	d.AddSketch(s)
	d.AddSketch(NewSketch(distinct(500, 20)))
	d.AddSketch(NewSketch(noise(500, 0, 1)))
	if !slices.Equal(s.Append(nil), before) {
		t.Error("AddSketch has changed the sketch")
	}
	o.AddValues(series(3, 2, 1))
	d = Distribution{}
	d.Merge(&o)
	d.Quantile(0.3)
	d.AddValues(series(9, 9, 9, 9))
	if !slices.Equal(o.values, []float64{3, 2, 1}) {
		t.Errorf("Merge has changed the other: %v", o.values)
	}
}

func TestDistributionOfNothing(t *testing.T) {
	t.Parallel()
	var d Distribution
	d.AddValues(nil)
	d.AddSketch(new(Sketch))
	d.Merge(new(Distribution))
	d.Spill()
	if d.Count() != 0 || !d.Exact() || !math.IsNaN(d.Quantile(0.5)) || d.Len() != 0 {
		t.Errorf("count %d, exact %v, median %v", d.Count(), d.Exact(), d.Quantile(0.5))
	}
	d.AddValues(series(math.Copysign(0, -1)))
	if math.Signbit(d.Quantile(0.5)) {
		t.Error("the median is -0")
	}
	d = Distribution{}
	d.AddValues(series(3, 5))
	if d.Quantile(-1) != 3 || d.Quantile(2) != 5 || !math.IsNaN(d.Quantile(nothing)) || d.Len() != 2 {
		t.Errorf("beyond the ends: %v, %v", d.Quantile(-1), d.Quantile(2))
	}
}

// Orders that some way to select is slow with, or gets wrong.
var orders = map[string]func(i, n int) float64{
	"ascending":  func(i, _ int) float64 { return float64(i) },
	"descending": func(i, _ int) float64 { return -float64(i) },
	"equal":      func(int, int) float64 { return 7 },
	"two values": func(i, _ int) float64 { return float64(i % 2) },
	"sawtooth":   func(i, _ int) float64 { return float64(i % 60) },
	"organ pipe": func(i, n int) float64 { return -math.Abs(float64(i - n/2)) },
	"sine":       func(i, n int) float64 { return math.Sin(float64(i) / 100) },
	"noise":      func(i, _ int) float64 { return rand.New(rand.NewPCG(uint64(i), 1)).NormFloat64() },
	"rare peaks": func(i, _ int) float64 { return float64(i % 997 / 996) },
}

func TestNthIsThatOfSortedValuesInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, order := range orders {
		for _, n := range []int{1, 2, 25, 600, 601, 1370, 30_000} {
			values := make([]float64, n)
			for i := range values {
				values[i] = order(i, n)
			}
			sorted := slices.Sorted(slices.Values(values))
			for _, k := range []int{0, n - 1, n / 2, n * 99 / 100, n / 7, 1 % n} {
				got := nth(values, k)
				if got != sorted[k] || values[k] != got || slices.Max(values[:k+1]) > got || slices.Min(values[k:]) < got {
					t.Fatalf("%s: %d of %d is %v, want %v", name, k, n, got, sorted[k])
				}
			}
			if slices.Sort(values); !slices.Equal(values, sorted) {
				t.Fatalf("%s: %d values are others now", name, n)
			}
		}
	}
}

func TestNthIsThatOfAnyValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, distinct := rapid.IntRange(1, 3000).Draw(t, "n"), rapid.SampledFrom([]int{2, 10, 1000, 1 << 30}).Draw(t, "distinct")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(rnd.IntN(distinct))
		}
		sorted := slices.Sorted(slices.Values(values))
		for range 3 {
			k := rapid.IntRange(0, n-1).Draw(t, "k")
			if got := nth(values, k); got != sorted[k] {
				t.Fatalf("%d is %v, want %v", k, got, sorted[k])
			}
		}
	})
}

// The bucket and its values. It is not parallel, since it counts the allocations of all.
func TestABucketIsSummedUpInTwoAllocations(t *testing.T) {
	rs := noise(1370, 20, 2)
	got := testing.AllocsPerRun(100, func() {
		b := Bucket{Series: 1, Summary: Summarize(rs)}
		b.Values.AddValues(rs)
		b.Values.Quantile(0.5)
		b.Values.Quantile(0.99)
		Mean(&b)
		b.Values.Quantile(0.25)
	})
	if got > 2 {
		t.Errorf("%v allocations", got)
	}
}

// A month of hours or so: 1.2 M readings in 900 buckets.
func BenchmarkQuantileOfBuckets(b *testing.B) {
	const buckets, size = 900, 1370
	rs := noise(buckets*size, 20, 2)
	for _, q := range []float64{0.5, 0.95, 0.99} {
		b.Run(fmt.Sprint(q), func(b *testing.B) {
			var d Distribution
			b.ReportAllocs()
			for b.Loop() {
				for part := range slices.Chunk(rs, size) {
					d.values = d.values[:0]
					d.AddValues(part)
					d.Quantile(q)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}

func BenchmarkNth(b *testing.B) {
	for _, n := range []int{100, 1000, 100_000} {
		for _, name := range []string{"noise", "ascending", "sawtooth", "sine", "equal"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				values, work := make([]float64, n), make([]float64, n)
				for i := range values {
					values[i] = orders[name](i, n)
				}
				for b.Loop() {
					copy(work, values)
					nth(work, n*95/100)
				}
				b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
			})
		}
	}
}

func TestEncodedSketchesAddUpAsSketchesDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var encoded, merged Distribution
		for range rapid.IntRange(1, 4).Draw(t, "sketches") {
			s := NewSketch(series(rapid.SliceOfN(rapid.Float64(), 1, 100).Draw(t, "values")...))
			if rapid.Bool().Draw(t, "spilled") {
				s.Spill()
			}
			if err := encoded.AddEncoded(s.Append(nil)); err != nil {
				t.Fatal(err)
			}
			merged.AddSketch(s)
		}
		if got, want := encoded.sketch.Append(nil), merged.sketch.Append(nil); !bytes.Equal(got, want) || encoded.Count() != merged.Count() {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestWhatIsNoSketchDoesNotAddUp(t *testing.T) {
	t.Parallel()
	src := NewSketch(noise(5000, 0, 1)).Append(nil)
	for i := range src {
		var d Distribution
		if err := d.AddEncoded(src); err != nil {
			t.Fatal(err)
		}
		if err := d.AddEncoded(src[:i]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("of %d bytes %d: %v", len(src), i, err)
		}
	}
}

func BenchmarkAddEncoded(b *testing.B) {
	var d Distribution
	few := NewSketch(noise(137, 20, 1))
	few.Spill()
	src := few.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.AddEncoded(src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(src)), "B/sketch")
}
