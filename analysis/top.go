package analysis

import (
	"cmp"
	"slices"

	"github.com/readout-dev/readout/stats"
)

// Top keeps the k groups with the greatest total, or with the least where ascending is true, in this order. Groups whose
// total is null come last; of equal ones the earlier of the request comes first.
func (a *Answer) Top(k int, by stats.Statistic, ascending bool) {
	type rank struct {
		group Group
		value float64
		known bool
	}
	ranks := make([]rank, len(a.Groups))
	for i, g := range a.Groups {
		v, ok := by(g.Total)
		ranks[i] = rank{g, v, ok}
	}
	slices.SortStableFunc(ranks, func(x, y rank) int {
		switch {
		case !x.known || !y.known:
			return cmp.Compare(lack(x.known), lack(y.known))
		case ascending:
			return cmp.Compare(x.value, y.value)
		}
		return cmp.Compare(y.value, x.value)
	})
	ranks = ranks[:min(max(k, 0), len(ranks))]
	a.Groups = make([]Group, len(ranks))
	for i, r := range ranks {
		a.Groups[i] = r.group
	}
}

// lack orders what is known before what is not.
func lack(known bool) int {
	if known {
		return 0
	}
	return 1
}
