package graph

import (
	"cmp"
	"container/heap"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/reading"
)

// fetch returns the first readings of a series at a time or after, limit at most.
type fetch func(s *db.Series, at int64, limit int) []reading.Reading

// merge returns the first n readings of several series that come after the one seen, in order of time, then series. It
// fetches of each series no more than its likely share, and again when that is used up, so that a page of many series
// costs little more than a page of one.
func merge(series []*db.Series, n int, seen reading.Reading, fetch fetch) []reading.Reading {
	piece := n
	if len(series) > 1 {
		piece = n/len(series) + 8
	}
	var heads heads
	for _, s := range series {
		at := seen.Time
		if s.ID <= seen.Series {
			at++ // at the time of the one seen, this series has had its turn
		}
		if rs := fetch(s, at, piece); len(rs) > 0 {
			heads = append(heads, head{s, rs})
		}
	}
	heap.Init(&heads)
	page := make([]reading.Reading, 0, min(n, piece*len(series)))
	for len(heads) > 0 && len(page) < n {
		h := &heads[0]
		next := h.readings[0]
		page = append(page, next)
		if h.readings = h.readings[1:]; len(h.readings) == 0 {
			h.readings = fetch(h.series, next.Time+1, piece)
		}
		if len(h.readings) == 0 {
			heap.Pop(&heads)
		} else {
			heap.Fix(&heads, 0)
		}
	}
	return page
}

// head is a series and what is fetched of it, at least one reading.
type head struct {
	series   *db.Series
	readings []reading.Reading
}

// heads is a heap (container/heap) by the next reading of each.
type heads []head

func (h heads) Len() int      { return len(h) }
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h heads) Less(i, j int) bool {
	a, b := h[i].readings[0], h[j].readings[0]
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Series, b.Series)) < 0
}

// Push implements heap.Interface.
func (h *heads) Push(x any) { *h = append(*h, x.(head)) }

// Pop implements heap.Interface.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
