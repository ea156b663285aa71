package history

import (
	"cmp"
	"context"
	"slices"

	"github.com/readout-dev/readout/reading"
)

// Page returns the first n readings of several series in a range of time that come behind the one seen, in order of
// time, then series. seen need not exist; with the least time and series there are, the page is the first. The series
// must be distinct.
func (r *Reader) Page(
	ctx context.Context, project int64, series []int64, from, to int64, seen reading.Reading, n int,
) ([]reading.Reading, error) {
	sorted, _ := inOrder(series)
	q := query{project: project, series: sorted, from: max(from, seen.Time), to: to, want: n}
	var page []reading.Reading
	for found, err := range r.stretches(ctx, q) {
		if err != nil {
			return nil, err
		}
		before := len(page)
		for _, rs := range found.series {
			for _, r := range rs {
				if byTime(r, seen) > 0 {
					page = append(page, r)
				}
			}
		}
		slices.SortFunc(page[before:], byTime)
		if len(page) >= n {
			return page[:n], nil
		}
	}
	return page, nil
}

// byTime orders readings by time, then series.
func byTime(a, b reading.Reading) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Series, b.Series))
}
