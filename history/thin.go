package history

import (
	"context"
	"runtime"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// thinners is how many goroutines decode and thin one range at most.
const thinners = 2

// fewReadings is up to how many likely readings a range is read as one piece: that takes a look less, and no goroutines.
const fewReadings = 1 << 15

// MinMax returns what stats.MinMax keeps of all readings of a series in a range of time: at most n, however many those are,
// since it holds few of them at a time. They are as they were at one moment; but if what the range begins or ends with is
// deleted while it is looked for, the answer may be without a first or last. Fault TooLarge: the range is in more rows than one
// read looks at, or more than Config.MaxReadings of it are not in chunks or have changed since.
func (r *Reader) MinMax(ctx context.Context, project, series, from, to int64, n int) ([]reading.Reading, error) {
	kept, _, err := r.minMax(ctx, query{project: project, series: []int64{series}, from: from, to: to, max: r.cfg.MaxReadings}, n, fewReadings)
	return kept, err
}

// MinMaxAt is MinMax from the time from on, for who goes on with the entries of the journal behind an offset: none that is
// behind it is missing there, and hardly ever one that is counted in already.
func (r *Reader) MinMaxAt(ctx context.Context, project, series, from int64, n int) (offset int64, kept []reading.Reading, err error) {
	q := query{project: project, series: []int64{series}, from: from, to: forever, max: r.cfg.MaxReadings}
	kept, offset, err = r.minMax(ctx, q, n, fewReadings)
	return offset, kept, err
}

func (r *Reader) minMax(ctx context.Context, q query, n int, few float64) (kept []reading.Reading, offset int64, err error) {
	var parts []*stats.Extremes
	f := &fold{reader: r, q: q, few: few, start: func(first, last int64) (takers []taker) {
		for range min(thinners, runtime.GOMAXPROCS(0)) {
			e := stats.NewExtremes(first, last, n)
			parts, takers = append(parts, e), append(takers, e.Add)
		}
		return takers
	}}
	if err := f.run(ctx); err != nil || len(parts) == 0 {
		return nil, f.offset, err
	}
	for _, e := range parts[1:] {
		parts[0].Merge(e)
	}
	return parts[0].Readings(), f.offset, nil
}
