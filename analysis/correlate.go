package analysis

import (
	"context"
	"slices"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// Correlation says how two series go together in one bucket.
type Correlation struct {
	Start, End int64    // of the bucket, µs
	Pairs      int      // steps in which both have readings
	R          *float64 // Pearson's coefficient, from -1 to 1; nil where there is none: too few pairs, or one of them never changes
}

// maxSteps is how many steps the pairs of a correlation may come from: two series have MaxCells in them.
const maxSteps = MaxCells / 2

var errSteps = fault.New(fault.Invalid, "these are more than %d steps: take a longer step or a shorter range", maxSteps)

// Correlate compares x and y in each bucket of w, as Request has from, to and now. The pairs are the means of both in each
// step in which both have readings; steps are placed as w places its buckets, and one that lies in two of these is cut. Beyond
// maxSteps of them it is a fault Invalid.
func (e *Engine) Correlate(
	ctx context.Context, x, y Member, from, to *int64, w stats.Window, step stats.Period, now time.Time,
) (found []Correlation, how Explain, err error) {
	began := time.Now()
	leave, err := e.admission.enter(ctx)
	if err != nil {
		return nil, how, err
	}
	defer leave()
	r := Request{Groups: [][]Member{{x}, {y}}, From: from, To: to, Window: w, Now: now}
	all := newIndex(r.Groups)
	wide, err := e.frame(ctx, all, &r)
	if err != nil || wide.intervals() == 0 {
		return nil, work{}.explain(time.Since(began)), err
	}
	w.Every = step
	steps, err := stepsOf(w, wide.from(), wide.to())
	if err != nil {
		return nil, how, err
	}
	narrow := newFrame(union(wide.cuts, steps), wide.from(), wide.to())
	means, err := e.fold(ctx, all, stats.Need{}, narrow)
	if err != nil {
		return nil, how, err
	}
	return means.correlate(wide), means.work.explain(time.Since(began)), nil
}

// stepsOf returns what w.Bounds does, but up to maxSteps: stretch by stretch, where the place of a bound does not depend on
// where it is counted from. That of days and months from the start of a range does: they have years.
func stepsOf(w stats.Window, from, to int64) (steps []int64, err error) {
	stretch := to - from
	if w.Every.Time > 0 && (!w.FromRange || w.Every.Days == 0 && w.Every.Months == 0) {
		stretch = stats.MaxBuckets / 2 * w.Every.Time.Microseconds() // some are shorter, where the clock changes
	}
	for from < to {
		part, err := w.Bounds(from, min(from+stretch, to))
		if err != nil {
			return nil, err
		}
		steps = append(steps[:max(len(steps)-1, 0)], part...)
		if len(steps)-1 > maxSteps {
			return nil, errSteps
		}
		from = steps[len(steps)-1]
	}
	return steps, nil
}

// union returns the numbers of both, ascending.
func union(a, b []int64) []int64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// correlate compares the two groups of f, whose intervals are steps, in each bucket of a wider frame of the same range.
func (f *folded) correlate(wide *frame) []Correlation {
	all := make([]Correlation, len(wide.bounds)-1)
	for i := range all {
		all[i] = Correlation{Start: wide.bounds[i], End: wide.bounds[i+1]}
	}
	var xs, ys []float64
	near := 0
	for k, bucket := range wide.bucket {
		xs, ys = xs[:0], ys[:0]
		for ; near < f.frame.intervals() && f.frame.cuts[near] < wide.cuts[k+1]; near++ {
			x, y := f.grid.get(0, near), f.grid.get(1, near)
			if !x.empty() && !y.empty() {
				xs, ys = append(xs, x.Summary.Mean()), append(ys, y.Summary.Mean())
			}
		}
		c := &all[bucket]
		c.Pairs = len(xs)
		if r, ok := stats.Pearson(xs, ys); ok {
			c.R = &r
		}
	}
	return all
}
