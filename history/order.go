package history

import (
	"cmp"
	"math"
	"slices"

	"github.com/readout-dev/readout/reading"
)

// forever is behind the time of every reading.
const forever = math.MaxInt64

// order is where each of some sorted series stood before; nil when they were sorted.
type order []int

// inOrder returns series ascending, and how to have answers in their own order again.
func inOrder(series []int64) ([]int64, order) {
	if slices.IsSorted(series) {
		return series, nil
	}
	places := make(order, len(series))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Compare(series[a], series[b]) })
	sorted := make([]int64, len(series))
	for i, place := range places {
		sorted[i] = series[place]
	}
	return sorted, places
}

func (o order) undo(rs [][]reading.Reading) [][]reading.Reading {
	if o == nil {
		return rs
	}
	back := make([][]reading.Reading, len(rs))
	for i, place := range o {
		back[place] = rs[i]
	}
	return back
}
