package graph

import (
	"math"
	"sort"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// touched is what came in since an answer: which of its groups and buckets it may have changed.
type touched struct {
	grids  []grid // the answer's buckets and, compared with an earlier time, those of then
	groups map[*group]bool
}

// grid says which buckets were touched.
type grid struct {
	bounds []int64
	hit    []bool // [0]: the time before all buckets, [1]: bucket 0, …, the last: the time behind them
}

func newTouched(grids ...[]int64) *touched {
	t := &touched{groups: map[*group]bool{}}
	for _, bounds := range grids {
		t.grids = append(t.grids, grid{bounds, make([]bool, len(bounds)+1)})
	}
	return t
}

// span notes that something changed in a group from a time up to and with another.
func (t *touched) span(g *group, from, to int64) {
	t.groups[g] = true
	for _, grid := range t.grids {
		grid.mark(from, to)
	}
}

// readings notes readings of one series, in order of time: once for each bucket, however many are in it.
func (t *touched) readings(g *group, rs []reading.Reading) {
	if len(rs) == 0 {
		return
	}
	t.groups[g] = true
	for _, grid := range t.grids {
		for rest := rs; len(rest) > 0; {
			i := grid.place(rest[0].Time)
			grid.mark(rest[0].Time, rest[0].Time)
			if i == len(grid.bounds) {
				break
			}
			rest = rest[firstFrom(rest, grid.bounds[i]):]
		}
	}
}

// firstFrom returns where the readings from time t on begin.
func firstFrom(rs []reading.Reading, t int64) int {
	return sort.Search(len(rs), func(i int) bool { return rs[i].Time >= t })
}

// mark marks what lies between two times. What is behind all buckets, and farther than lines reach, changes none of them.
func (g grid) mark(from, to int64) {
	if n := len(g.bounds); n > 0 && from-g.bounds[n-1] > stats.MaxGap {
		return
	}
	for i := g.place(from); i <= g.place(to); i++ {
		g.hit[i] = true
	}
}

func (g grid) place(t int64) int {
	return sort.Search(len(g.bounds), func(i int) bool { return g.bounds[i] > t })
}

// any reports whether there is anything to look at.
func (t *touched) any() bool { return len(t.groups) > 0 }

// first reports whether the first bucket was touched, or the time before it: a range without a beginning may begin elsewhere.
func (t *touched) first() bool {
	hit := t.grids[0].hit
	return hit[0] || len(hit) > 1 && hit[1]
}

// affected returns which of the buckets between bounds, which begin with those of the answer, may have changed, as runs of
// them: those that were touched, with lines also those within reach of them, and those that are new. With ending also the one
// that was the last before these, which has ended since.
func (t *touched) affected(bounds []int64, lines, ending bool) [][2]int {
	changed := make([]bool, len(bounds)-1)
	for _, grid := range t.grids {
		for i, hit := range grid.hit {
			if hit {
				grid.spread(changed, i, lines)
			}
		}
	}
	first := len(t.grids[0].bounds) - 1 // of the new ones
	if ending && first < len(changed) {
		first--
	}
	for i := max(first, 0); i < len(changed); i++ {
		changed[i] = true
	}
	return stretches(changed)
}

// spread marks the buckets that a touched place changes.
func (g grid) spread(changed []bool, place int, lines bool) {
	if 0 < place && place < len(g.bounds) {
		changed[place-1] = true
	}
	if !lines {
		return
	}
	for i := place - 1; i > 0 && g.bounds[place-1]-g.bounds[i] <= stats.MaxGap; i-- { // bucket i-1 ends at bounds[i]
		changed[i-1] = true
	}
	for i := place; i+1 < len(g.bounds) && g.bounds[i]-g.bounds[place] <= stats.MaxGap; i++ {
		changed[i] = true
	}
}

// stretches returns the runs of buckets that have changed, as pairs of the first and the one behind the last.
func stretches(changed []bool) (runs [][2]int) {
	for i := 0; i < len(changed); i++ {
		if !changed[i] {
			continue
		}
		end := i + 1
		for end < len(changed) && changed[end] {
			end++
		}
		runs = append(runs, [2]int{i, end})
		i = end
	}
	return runs
}

// ahead holds the moments, to a second, at which readings with a time in the future come to be in the past: of one day at
// most, since no reading is farther ahead.
type ahead struct {
	moments map[int64]struct{}
	first   int64 // the earliest of them, where there are any
}

const second = int64(time.Second / time.Microsecond)

// add notes a reading at time t.
func (a *ahead) add(t int64) {
	m := t - t%second + second
	if a.moments == nil {
		a.moments = map[int64]struct{}{}
	}
	if len(a.moments) == 0 || m < a.first {
		a.first = m
	}
	a.moments[m] = struct{}{}
}

// next returns the earliest moment; ok is false when there is none.
func (a *ahead) next() (t int64, ok bool) { return a.first, len(a.moments) > 0 }

// take removes the moments up to now, and says of what time the readings were.
func (a *ahead) take(now int64) (from, to int64, ok bool) {
	if t, any := a.next(); !any || t > now {
		return 0, 0, false
	}
	from, a.first = a.first-second, math.MaxInt64
	for m := range a.moments {
		if m > now {
			a.first = min(a.first, m)
			continue
		}
		to = max(to, m-1)
		delete(a.moments, m)
	}
	return from, to, true
}
