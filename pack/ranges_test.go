package pack

import (
	"fmt"
	"math"
	"testing"

	"github.com/readout-dev/readout/reading"
)

func TestRangesPutDeletionsTogether(t *testing.T) {
	t.Parallel()
	check := func(want string, ds ...reading.Deletion) {
		t.Helper()
		var all []deletion
		for _, d := range ds {
			all = append(all, deletion{Deletion: d})
		}
		if got := fmt.Sprint(rangesOf(all)[1]); got != want {
			t.Errorf("%v make %s, want %s", ds, got, want)
		}
	}
	check("[{3 5}]", reading.Deletion{Series: 1, From: 3, To: 5})
	check("[]", reading.Deletion{Series: 1, From: 5, To: 5})
	check("[{1 2} {3 5}]", reading.Deletion{Series: 1, From: 3, To: 5}, reading.Deletion{Series: 1, From: 1, To: 2})
	check("[{1 5}]", reading.Deletion{Series: 1, From: 3, To: 5}, reading.Deletion{Series: 1, From: 1, To: 3})
	check("[{1 9}]", reading.Deletion{Series: 1, From: 1, To: 9}, reading.Deletion{Series: 1, From: 2, To: 3})
	check("[{1 2}]", reading.Deletion{Series: 1, From: 1, To: 2}, reading.Deletion{Series: 2, From: 2, To: 3})
}

func TestRangesKnowWhatTheyCover(t *testing.T) {
	t.Parallel()
	r := ranges{{10, 20}, {30, 40}}
	check := func(from, to int64, reach, all bool) {
		t.Helper()
		if r.reach(from, to) != reach || r.coverAll(from, to) != all {
			t.Errorf("%d to %d: reached %v, covered %v; want %v, %v", from, to, r.reach(from, to), r.coverAll(from, to), reach, all)
		}
	}
	check(10, 19, true, true)
	check(9, 10, true, false)
	check(19, 20, true, false)
	check(20, 29, false, false)
	check(20, 30, true, false)
	check(12, 35, true, false)
	check(39, 39, true, true)
	check(40, 50, false, false)
	if r.cover(9) || !r.cover(10) || r.cover(20) || (ranges{}).cover(1) {
		t.Error("a stretch is half open")
	}
	if !(ranges{{math.MinInt64, math.MaxInt64}}).everything() || r.everything() {
		t.Error("everything is all time and nothing else")
	}
}

func TestARowEndsWithASeriesWhereItCan(t *testing.T) {
	t.Parallel()
	check := func(want int, lengths ...int) {
		t.Helper()
		var rs []reading.Reading
		for series, n := range lengths {
			for i := range n {
				rs = append(rs, reading.Reading{Series: int64(series), Time: int64(i)})
			}
		}
		if got := cutRow(rs, 10); got != want {
			t.Errorf("series of %v readings: the first row has %d, want %d", lengths, got, want)
		}
	}
	check(10, 30)
	check(10, 10, 5)
	check(8, 8, 5)
	check(5, 5, 20)
	check(10, 4, 20)
	check(9, 3, 3, 3, 3)
}

func TestFloorGoesDownBefore1970Too(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]int64{{0, 0}, {1, 0}, {dayLen - 1, 0}, {dayLen, dayLen}, {-1, -dayLen}, {-dayLen, -dayLen}} {
		if got := floor(c[0], dayLen); got != c[1] {
			t.Errorf("the day of %d begins at %d, want %d", c[0], got, c[1])
		}
	}
}
