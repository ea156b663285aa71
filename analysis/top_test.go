package analysis_test

import (
	"testing"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/stats"
)

func TestTopRanksGroupsByTheirTotals(t *testing.T) {
	t.Parallel()
	total := func(value float64, count int) *stats.Bucket {
		return &stats.Bucket{Summary: stats.Summary{Count: count, Sum: value}}
	}
	f := func(k int, ascending bool, want ...int) {
		t.Helper()
		a := &analysis.Answer{}
		for i, b := range []*stats.Bucket{total(2, 1), total(0, 0), total(5, 1), total(-1, 1), total(5, 1)} {
			a.Groups = append(a.Groups, analysis.Group{Place: i, Total: b})
		}
		a.Top(k, stats.Sum, ascending)
		if len(a.Groups) != len(want) {
			t.Errorf("%d groups instead of %d", len(a.Groups), len(want))
			return
		}
		for i, g := range a.Groups {
			if g.Place != want[i] {
				t.Errorf("at %d is group %d, want %d", i, g.Place, want[i])
			}
		}
	}
	f(2, false, 2, 4)
	f(2, true, 3, 0)
	f(10, false, 2, 4, 0, 3, 1)
	f(10, true, 3, 0, 2, 4, 1)
	f(0, false)
	f(-1, false)
}
