package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

// totals returns what JoinLines gives each bucket.
func totals(lines []Line, bounds []int64, thresholds ...float64) []LineTotal {
	all := make([]LineTotal, max(len(bounds)-1, 0))
	last := -1
	JoinLines(lines, bounds, thresholds, func(bucket int, t LineTotal) {
		if bucket <= last {
			panic("buckets are out of order")
		}
		last = bucket
		all[bucket].Merge(t)
	})
	return all
}

// pieces makes the lines of rs between bounds, and in front of the first and behind the last.
func pieces(rs []reading.Reading, bounds []int64, thresholds ...float64) []Line {
	var lines []Line
	for len(rs) > 0 {
		n := 1
		for n < len(rs) && place(bounds, rs[n].Time) == place(bounds, rs[0].Time) {
			n++
		}
		lines = append(lines, NewLine(rs[:n], thresholds))
		rs = rs[n:]
	}
	return lines
}

// place returns the bucket of t, -1 in front of all.
func place(bounds []int64, t int64) int {
	at, found := slices.BinarySearch(bounds, t)
	if !found {
		at--
	}
	return at
}

func alike(a, b, scale float64) bool { return math.Abs(a-b) <= 1e-9*max(scale, math.Abs(b)) }

func TestLineIsThatComputedByHand(t *testing.T) {
	t.Parallel()
	l := NewLine(at(0, 0, 10, 20, 20, 10), []float64{5, 10})
	if l.Readings != 3 || l.FirstAt != 0 || l.LastAt != 20*minute || l.First != 0 || l.Last != 10 {
		t.Errorf("got %+v", l)
	}
	if l.Seconds != 1200 || l.Area != 600*10+600*15 || l.Increase != 30 {
		t.Errorf("got %+v", l)
	}
	if !slices.Equal(l.Above, []float64{450 + 600, 300 + 600}) || !slices.Equal(l.Below, []float64{150, 300}) {
		t.Errorf("got %+v", l)
	}
	if l := NewLine(nil, []float64{5}); l.Readings != 0 || l.Seconds != 0 {
		t.Errorf("got %+v of nothing", l)
	}
}

func TestALineAtAThresholdIsNeitherAboveNorBelow(t *testing.T) {
	t.Parallel()
	f := func(first, last, above, below float64) {
		t.Helper()
		if l := NewLine(at(0, first, 1, last), []float64{5}); l.Above[0] != above || l.Below[0] != below {
			t.Errorf("from %v to %v: above %v s, below %v s", first, last, l.Above[0], l.Below[0])
		}
	}
	f(5, 5, 0, 0)
	f(5, 6, 60, 0)
	f(6, 5, 60, 0)
	f(4, 5, 0, 60)
	f(5, 4, 0, 60)
	f(4, 6, 30, 30)
	f(6, 4, 30, 30)
	f(7, 8, 60, 0)
	f(1, 2, 0, 60)
	f(-math.MaxFloat64, math.MaxFloat64, 30, 30)
}

func TestLineEndsAtAGap(t *testing.T) {
	t.Parallel()
	if l := NewLine(at(0, 1, 1440, 3), nil); l.Seconds != 86400 || l.Increase != 2 {
		t.Errorf("over a day: %+v", l)
	}
	exactly := at(0, 1, 1440, 3)
	if l := NewLine(exactly[:1], []float64{2}).Append(NewLine(exactly[1:], []float64{2})); l.Seconds != 86400 || l.Above[0] != 43200 {
		t.Errorf("over a day, put together: %+v", l)
	}
	rs := at(0, 1, 1440.001, 3)
	if l := NewLine(rs, nil); l.Seconds != 0 || l.Area != 0 || l.Increase != 0 || l.Last != 3 {
		t.Errorf("over more than a day: %+v", l)
	}
	if l := NewLine(rs[:1], nil).Append(NewLine(rs[1:], nil)); l.Seconds != 0 || l.Increase != 0 || l.Last != 3 {
		t.Errorf("put together: %+v", l)
	}
}

func TestACounterThatFallsHasBegunAnew(t *testing.T) {
	t.Parallel()
	f := func(increase float64, values ...float64) {
		t.Helper()
		if l := NewLine(series(values...), nil); l.Increase != increase {
			t.Errorf("%v: increase %v, want %v", values, l.Increase, increase)
		}
	}
	f(7, 3, 5, 10)
	f(7+4+1, 3, 5, 10, 4, 5)
	f(0, 10, 0)
	f(0, 5, 5, 5)
	f(3, 0, math.Copysign(0, -1), 3)
}

func TestAppendedLineIsThatOfAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyLine(0).Draw(t, "readings")
		thresholds := []float64{-10, 3.3}
		whole := NewLine(rs, thresholds)
		a, b := rapid.IntRange(0, len(rs)).Draw(t, "cut"), rapid.IntRange(0, len(rs)).Draw(t, "cut")
		a, b = min(a, b), max(a, b)
		first, second, third := NewLine(rs[:a], thresholds), NewLine(rs[a:b], thresholds), NewLine(rs[b:], thresholds)
		for _, got := range []Line{first.Append(second).Append(third), first.Append(second.Append(third))} {
			if !sameLine(got, whole) {
				t.Fatalf("got %+v, want %+v", got, whole)
			}
		}
	})
}

func sameLine(a, b Line) bool {
	for i := range a.Above {
		if !alike(a.Above[i], b.Above[i], 1e5) || !alike(a.Below[i], b.Below[i], 1e5) {
			return false
		}
	}
	return a.Readings == b.Readings && a.FirstAt == b.FirstAt && a.LastAt == b.LastAt && a.First == b.First && a.Last == b.Last &&
		alike(a.Seconds, b.Seconds, 1e5) && alike(a.Area, b.Area, 1e11) && alike(a.Increase, b.Increase, 1e8)
}

func TestAppendLeavesBothAlone(t *testing.T) {
	t.Parallel()
	rs := at(0, 0, 10, 20, 20, 10, 30, 0)
	a, b := NewLine(rs[:2], []float64{5}), NewLine(rs[2:], []float64{5})
	a.Append(b)
	a.Append(b)
	if !slices.Equal(a.Above, []float64{450}) || !slices.Equal(b.Above, []float64{300}) {
		t.Errorf("above for %v and %v s", a.Above, b.Above)
	}
}

func TestLineOfARollupIsThatOfItsReadings(t *testing.T) {
	t.Parallel()
	rs := at(60, 3, 70, 5, 1000, 2)
	want := NewLine(rs, nil)
	if got := LineOf(Summarize(rs), want.Area, want.Increase); !sameLine(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestASegmentThatCrossesABoundIsCutThere(t *testing.T) {
	t.Parallel()
	// From 30 at minute 30 up to 90 at minute 90, so it is 60 at the bound; then it falls to 0 at minute 150, 45 at the next.
	rs := at(30, 30, 90, 90, 150, 0)
	bounds := []int64{0, 60 * minute, 120 * minute, 180 * minute}
	got := totals(pieces(rs, bounds, 60), bounds, 60)
	want := []LineTotal{
		{Series: 1, Seconds: 1800, Area: 1800 * 45, Increase: 30, Above: []float64{0}, Below: []float64{1800}},
		{Series: 1, Seconds: 3600, Area: 1800*75 + 1800*67.5, Increase: 30, Above: []float64{1800 + 1200}, Below: []float64{600}},
		{Series: 1, Seconds: 1800, Area: 1800 * 22.5, Increase: 0, Above: []float64{0}, Below: []float64{1800}},
	}
	for i, w := range want {
		g := got[i]
		if g.Series != w.Series || g.Seconds != w.Seconds || !alike(g.Area, w.Area, 1) || !alike(g.Increase, w.Increase, 1) || g.Delta != 0 ||
			!alike(g.Above[0], w.Above[0], 1) || !alike(g.Below[0], w.Below[0], 1) || !alike(g.Rate, w.Increase/w.Seconds, 1) {
			t.Errorf("bucket %d: got %+v, want %+v", i, g, w)
		}
	}
}

func TestLinesOutsideTheBoundsOnlyLendTheirSegments(t *testing.T) {
	t.Parallel()
	rs := at(-120, 1000, -30, 0, 30, 60, 90, 120, 200, 5)
	bounds := []int64{0, 60 * minute}
	got := totals(pieces(rs, bounds), bounds)[0]
	// 0→60 enters at 30, 60→120 leaves at 90.
	if got.Series != 1 || got.Seconds != 3600 || !alike(got.Area, 1800*45+1800*75, 1) || !alike(got.Increase, 60, 1) || got.Delta != 0 {
		t.Errorf("got %+v", got)
	}
	// Without readings within, the line still passes.
	far := at(-30, 0, 90, 120)
	if got := totals(pieces(far, bounds), bounds)[0]; got.Series != 0 || got.Seconds != 3600 || !alike(got.Area, 3600*60, 1) {
		t.Errorf("got %+v", got)
	}
}

func TestALoneReadingCoversNoTime(t *testing.T) {
	t.Parallel()
	if got := totals([]Line{NewLine(at(1, 7), nil)}, []int64{0, hour})[0]; got.Series != 1 || got.Seconds != 0 || got.Rate != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestNothingIsJoinedOutOfNothing(t *testing.T) {
	t.Parallel()
	never := func(int, LineTotal) { t.Error("called") }
	JoinLines(nil, []int64{0, day}, nil, never)
	JoinLines([]Line{{}, NewLine(nil, nil)}, []int64{0, day}, nil, never)
	JoinLines([]Line{NewLine(at(1, 1), nil)}, nil, nil, never)
	JoinLines([]Line{NewLine(at(1, 1), nil)}, []int64{0}, nil, never)
	JoinLines([]Line{NewLine(at(1, 1), nil), NewLine(at(2000, 1), nil)}, []int64{day, day + minute}, nil, never)
	JoinLines([]Line{NewLine(at(1, 1), nil)}, []int64{minute + 1, day}, nil, never)
}

// What buckets measure adds up to what one bucket over all of them does, over gaps and restarts, however many of them
// have no readings.
func TestWhatNeighbouringBucketsMeasureAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyLine(1).Draw(t, "readings")
		from := rapid.Int64Range(-day, 2*day).Draw(t, "from")
		width := rapid.SampledFrom([]int64{13 * minute, hour, 7 * hour, day}).Draw(t, "width")
		bounds := []int64{from}
		for range rapid.IntRange(1, 400).Draw(t, "buckets") {
			bounds = append(bounds, bounds[len(bounds)-1]+width)
		}
		whole := []int64{bounds[0], bounds[len(bounds)-1]}
		var sum LineTotal
		for _, part := range totals(pieces(rs, bounds, 1, 2.5), bounds, 1, 2.5) {
			sum.Extend(part)
		}
		want := totals(pieces(rs, whole, 1, 2.5), whole, 1, 2.5)[0]
		if sum.Series != want.Series || !alike(sum.Seconds, want.Seconds, 1e6) || !alike(sum.Area, want.Area, 1e12) || !alike(sum.Increase, want.Increase, 1e9) || !alike(sum.Rate, want.Rate, 1e3) {
			t.Fatalf("parts are %+v, the whole is %+v", sum, want)
		}
		for i := range want.Above {
			if !alike(sum.Above[i], want.Above[i], 1e6) || !alike(sum.Below[i], want.Below[i], 1e6) {
				t.Fatalf("parts are %+v, the whole is %+v", sum, want)
			}
		}
	})
}

// Delta is within a bucket; how many lines its readings came in does not matter.
func TestDeltaIsBetweenTheReadingsInABucket(t *testing.T) {
	t.Parallel()
	rs := at(1, 10, 2, 12, 50, 9, 70, 30, 80, 31)
	bounds := []int64{0, 60 * minute, 120 * minute}
	lines := []Line{NewLine(rs[:1], nil), NewLine(rs[1:2], nil), NewLine(rs[2:3], nil), NewLine(rs[3:], nil)}
	if got := totals(lines, bounds); got[0].Delta != -1 || got[1].Delta != 1 || got[0].Series != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestLineTotalsOfSeriesAreTheirSums(t *testing.T) {
	t.Parallel()
	bounds := []int64{0, hour}
	a := totals([]Line{NewLine(at(0, 0, 30, 1800), []float64{900})}, bounds, 900)[0]
	b := totals([]Line{NewLine(at(0, 0, 10, 600), []float64{900})}, bounds, 900)[0]
	var both LineTotal
	both.Merge(a)
	both.Merge(b)
	if both.Series != 2 || both.Seconds != 2400 || both.Increase != 2400 || both.Delta != 2400 || both.Rate != 2 {
		t.Errorf("got %+v", both)
	}
	if !slices.Equal(both.Above, []float64{900}) || !slices.Equal(both.Below, []float64{1500}) || !slices.Equal(a.Above, []float64{900}) {
		t.Errorf("got %+v", both)
	}
	group := &Bucket{Series: 2, Line: both, Summary: Summary{Count: 4}}
	wants(t, group, "delta", Delta, 2400)
	wants(t, group, "rate", Rate, 2)
	wants(t, group, "above", Above(900), 900)
}

func TestJoiningALineAllocatesNothing(t *testing.T) { // not parallel: it counts the allocations of all
	rs := noise(1000, 20, 2)
	lines := []Line{NewLine(rs[:500], nil), NewLine(rs[500:], nil)}
	bounds := []int64{0, rs[500].Time, rs[999].Time + 1}
	var sum LineTotal
	add := func(_ int, t LineTotal) { sum.Merge(t) }
	if got := testing.AllocsPerRun(100, func() { NewLine(rs, nil); JoinLines(lines, bounds, nil, add) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkNewLine(b *testing.B) {
	rs := noise(1_000_000, 20, 2)
	for name, thresholds := range map[string][]float64{"plain": nil, "threshold": {20}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				NewLine(rs, thresholds)
			}
			b.ReportMetric(float64(b.N)*float64(len(rs))/b.Elapsed().Seconds()/1e6, "Mreadings/s")
		})
	}
}
