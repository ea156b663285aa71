package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

// naiveMinMax is MinMax as its documentation says it, of readings whose times are small.
func naiveMinMax(rs []reading.Reading, n int) []reading.Reading {
	if len(rs) <= n || n < 2 {
		return rs[:max(min(n, len(rs)), 0)]
	}
	first, last := rs[0], rs[len(rs)-1]
	buckets := int64(n-2) / 2
	kept := []reading.Reading{first}
	for b := range buckets {
		var in []reading.Reading
		for _, r := range rs[1 : len(rs)-1] {
			if (r.Time-first.Time)*buckets/(last.Time-first.Time) == b {
				in = append(in, r)
			}
		}
		if len(in) == 0 {
			continue
		}
		least, greatest := in[0], in[0]
		for _, r := range in {
			if r.Value < least.Value {
				least = r
			}
			if r.Value > greatest.Value {
				greatest = r
			}
		}
		pair := []reading.Reading{least, greatest}
		slices.SortFunc(pair, byTime)
		kept = append(kept, slices.Compact(pair)...)
	}
	return append(kept, last)
}

func TestMinMaxEqualsANaiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyLine(0).Draw(t, "readings")
		n := rapid.IntRange(-1, 60).Draw(t, "n")
		if got, want := MinMax(rs, n), naiveMinMax(rs, n); !slices.Equal(got, want) {
			t.Fatalf("%d of %v:\ngot  %v\nwant %v", n, rs, got, want)
		}
	})
}

// However the readings are cut into pieces, in whatever order these come and whoever gets them.
func TestExtremesOfPiecesAreThoseOfTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyLine(1).Draw(t, "readings")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		var pieces [][]reading.Reading
		for rest := rs; len(rest) > 0; {
			size := rapid.IntRange(0, len(rest)).Draw(t, "size")
			if size == 0 { // nothing, or all of them
				pieces = append(pieces, nil)
				size = len(rest)
			}
			pieces, rest = append(pieces, rest[:size]), rest[size:]
		}
		pieces = rapid.Permutation(pieces).Draw(t, "pieces")
		sharing := make([]*Extremes, rapid.IntRange(1, 3).Draw(t, "sharing"))
		for i := range sharing {
			sharing[i] = NewExtremes(rs[0].Time, rs[len(rs)-1].Time, n)
		}
		for _, piece := range pieces {
			sharing[rapid.IntRange(0, len(sharing)-1).Draw(t, "who")].Add(piece)
		}
		for _, o := range sharing[1:] {
			sharing[0].Merge(o)
		}
		if got, want := sharing[0].Readings(), naiveMinMax(rs, n); !slices.Equal(got, want) {
			t.Fatalf("%d of %v in %d pieces:\ngot  %v\nwant %v", n, rs, len(pieces), got, want)
		}
	})
}

// What is to be the first or the last may have been deleted when the rest is read.
func TestExtremesDoWithoutAnEnd(t *testing.T) {
	t.Parallel()
	rs := series(1, 5, 2, 9, 3, 4)
	e := NewExtremes(0, 10_000_000, 4)
	e.Add(rs)
	if got, want := e.Readings(), []reading.Reading{rs[0], rs[3]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExtremesReachOverAllTimes(t *testing.T) {
	t.Parallel()
	rs := []reading.Reading{{Time: math.MinInt64, Value: 1}, {Time: -1, Value: 3}, {Time: 0, Value: 2}, {Time: math.MaxInt64, Value: 1}}
	if got, want := MinMax(rs, 3), []reading.Reading{rs[0], rs[3]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	rs = slices.Insert(rs, 2, reading.Reading{Time: -1 << 62, Value: 0})
	slices.SortFunc(rs, byTime)
	if got, want := MinMax(rs, 4), []reading.Reading{rs[0], rs[1], rs[2], rs[4]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExtremesHoldOnlyWhatTheyReturn(t *testing.T) { // not parallel: it counts allocations
	rs := noise(10_000, 20, 3)
	e := NewExtremes(rs[0].Time, rs[len(rs)-1].Time, 1000)
	e.Add(rs[:5000])
	if got := testing.AllocsPerRun(10, func() { e.Add(rs[5000:9000]) }); got > 0 {
		t.Errorf("%v allocations to add readings", got)
	}
}

func BenchmarkMinMax(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	rs, value := make([]reading.Reading, 1_000_000), 2000
	for i := range rs {
		value += rng.IntN(21) - 10
		rs[i] = reading.Reading{Series: 1, Time: int64(i) * 31_536_000, Value: float64(value) / 100}
	}
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			MinMax(rs, 1000)
		}
	})
	b.Run("chunks", func(b *testing.B) {
		for b.Loop() {
			e := NewExtremes(rs[0].Time, rs[len(rs)-1].Time, 1000)
			for range 1000 { // one of them, which lies in the cache
				e.Add(rs[500_000:501_000])
			}
			e.Readings()
		}
	})
}
