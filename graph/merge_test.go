package graph

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/reading"
)

// Pages of any size, read one after the other, are all readings sorted by time and series.
func TestMergeIsSortingAllOfThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		byID := map[int64][]reading.Reading{}
		var series []*db.Series
		var all []reading.Reading
		for id := range int64(rapid.IntRange(0, 6).Draw(t, "series")) {
			times := rapid.SliceOfNDistinct(rapid.Int64Range(0, 40), 0, 30, rapid.ID[int64]).Draw(t, "times")
			slices.Sort(times)
			for _, at := range times {
				byID[id] = append(byID[id], reading.Reading{Series: id, Time: at})
			}
			all = append(all, byID[id]...)
			series = append(series, &db.Series{ID: id})
		}
		slices.SortFunc(all, func(a, b reading.Reading) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Series, b.Series))
		})
		n := rapid.IntRange(1, 50).Draw(t, "page")
		seen := reading.Reading{Series: -1, Time: -1}
		var got []reading.Reading
		for {
			page := merge(series, n, seen, func(s *db.Series, at int64, limit int) []reading.Reading {
				rs := byID[s.ID]
				i, _ := slices.BinarySearchFunc(rs, at, func(r reading.Reading, at int64) int { return cmp.Compare(r.Time, at) })
				return rs[i:min(i+limit, len(rs))]
			})
			got = append(got, page...)
			if len(page) < n {
				break
			}
			seen = page[len(page)-1]
		}
		if !slices.Equal(got, all) {
			t.Fatalf("pages of %d: got %v, want %v", n, got, all)
		}
	})
}
