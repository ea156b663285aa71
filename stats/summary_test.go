package stats

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

// series makes readings of values, a second apart.
func series(values ...float64) []reading.Reading {
	rs := make([]reading.Reading, len(values))
	for i, v := range values {
		rs[i] = reading.Reading{Series: 1, Time: int64(i+1) * 1_000_000, Value: v}
	}
	return rs
}

// noise makes n readings around mean.
func noise(n int, mean, spread float64) []reading.Reading {
	rnd := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, n)
	for i := range values {
		values[i] = mean + spread*rnd.NormFloat64()
	}
	return series(values...)
}

// anySeries draws readings of one series in the order of time.
func anySeries(least int) *rapid.Generator[[]reading.Reading] {
	value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Map(rapid.IntRange(-50, 50), func(n int) float64 { return float64(n) / 10 }))
	return rapid.Map(rapid.SliceOfN(value, least, 400), func(values []float64) []reading.Reading { return series(values...) })
}

// exactly computes the sum and M2 of rs with as many digits as it takes.
func exactly(rs []reading.Reading) (sum, m2 float64) {
	const digits = 2200
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(digits).SetFloat64(v) }
	total, square := number(0), number(0)
	for _, r := range rs {
		v := number(r.Value)
		total.Add(total, v)
		square.Add(square, new(big.Float).SetPrec(digits).Mul(v, v))
	}
	n := number(float64(len(rs)))
	mean := new(big.Float).SetPrec(digits).Mul(total, total)
	square.Sub(square, mean.Quo(mean, n))
	sum, _ = total.Float64()
	m2, _ = square.Float64()
	return sum, m2
}

func near(a, b, scale float64) bool { return a == b || math.Abs(a-b) <= 1e-12*scale }

func TestSummaryIsWhatExactArithmeticGives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(1).Draw(t, "readings")
		s := Summarize(rs)
		sum, m2 := exactly(rs)
		byValue := func(a, b reading.Reading) int { return cmp.Compare(a.Value, b.Value) }
		least, greatest := slices.MinFunc(rs, byValue), slices.MaxFunc(rs, byValue)
		scale := max(math.Abs(s.Min), math.Abs(s.Max)) * float64(len(rs))
		if s.Count != len(rs) || !near(s.Sum, sum, scale) || !near(s.M2, m2, max(m2, 1e-12*scale*scale)) {
			t.Fatalf("got %+v, want sum %v, m2 %v", s, sum, m2)
		}
		last := rs[len(rs)-1]
		if s.Min != least.Value || s.Max != greatest.Value || s.First != rs[0].Value || s.FirstAt != rs[0].Time || s.Last != last.Value || s.LastAt != last.Time {
			t.Fatalf("got %+v of %v", s, rs)
		}
	})
}

// The textbook's sum of squares less the squared sum loses every digit here.
func TestSpreadOfLargeValuesKeepsItsDigits(t *testing.T) {
	t.Parallel()
	rs := noise(10_001, 1e9, 0.01)
	s := Summarize(rs)
	if _, m2 := exactly(rs); math.Abs(s.M2/m2-1) > 1e-12 {
		t.Errorf("got %v, want %v", s.M2, m2)
	}
	if s := Summarize(series(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)); s.M2 > 1e-30 || s.M2 < 0 {
		t.Errorf("equal values are %v apart", s.M2)
	}
}

func TestSummaryBeyondFloat64IsInfiniteAndNeverNaN(t *testing.T) {
	t.Parallel()
	f := func(sum float64, values ...float64) {
		t.Helper()
		if s := Summarize(series(values...)); s.Sum != sum || s.M2 != math.Inf(1) {
			t.Errorf("%v: got sum %v, m2 %v, want %v, +Inf", values, s.Sum, s.M2, sum)
		}
	}
	const most = math.MaxFloat64
	f(math.Inf(1), most, most)
	f(math.Inf(-1), -most, -most, -most, -most, -most)
	f(most, most, most, -most)
	f(0, most, -most, most, -most, most, -most, most, -most)
	f(0, most, -most)
}

func TestMergedSummaryIsThatOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anySeries(0).Draw(t, "readings")
		cut := rapid.IntRange(0, len(rs)).Draw(t, "cut")
		whole, a, b := Summarize(rs), Summarize(rs[:cut]), Summarize(rs[cut:])
		for name, merged := range map[string]Summary{"in order": a.Merge(b), "the other way round": b.Merge(a)} {
			scale := max(math.Abs(whole.Min), math.Abs(whole.Max)) * float64(len(rs))
			if !near(merged.Sum, whole.Sum, scale) || !near(merged.M2, whole.M2, max(whole.M2, 1e-12*scale*scale)) {
				t.Fatalf("%s: got %+v, want %+v", name, merged, whole)
			}
			merged.Sum, merged.M2 = whole.Sum, whole.M2
			if merged != whole {
				t.Fatalf("%s: got %+v, want %+v", name, merged, whole)
			}
		}
	})
}

func TestMeanOfNothingIsNoNumber(t *testing.T) {
	t.Parallel()
	if s := Summarize(nil); s != (Summary{}) || !math.IsNaN(s.Mean()) {
		t.Errorf("got %+v, mean %v", s, s.Mean())
	}
	if got := Summarize(series(1, 2, 6)).Mean(); got != 3 {
		t.Errorf("got %v", got)
	}
}

func BenchmarkSummarize(b *testing.B) {
	for _, n := range []int{60, 1000, 86_400} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rs := noise(n, 20, 1)
			for b.Loop() {
				Summarize(rs)
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}
