package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/stats"
)

// question is asked of Readout and, as SQL, of the table.
type question struct {
	groups    [][]int64 // series
	from, to  time.Time
	window    stats.Window
	extremes  bool // min, mean and max, too
	quantiles []float64
	exact     bool // quantiles as percentile_cont gives them, else within stats.Accuracy

	forms []form // of the same in SQL
}

// form is a way to ask SQL; the columns of the answer are those of a cell.
type form struct {
	name, key string
	sql       string
	args      []any
}

// grouped is the form that comes first to mind.
func grouped(sql string, args ...any) form {
	return form{"SQL, group by", "group_by_ms", sql, args}
}

// probed is the form that has the primary key find the readings of each bucket: nothing is sorted to form groups.
func probed(sql string, args ...any) form {
	return form{"SQL, a probe of the key for each bucket", "probe_ms", sql, args}
}

// cell is one bucket of a group with readings.
type cell struct {
	group          int
	start          int64 // µs
	n              int64
	min, mean, max float64
	quantiles      []float64
}

// ask asks Readout.
func (a *asker) ask(ctx context.Context, q *question) ([]cell, error) {
	from, to := q.from.UnixMicro(), q.to.UnixMicro()
	r := analysis.Request{From: &from, To: &to, Window: q.window, Need: stats.Need{Values: len(q.quantiles) > 0, Plain: true}, NoTotals: true}
	for _, group := range q.groups {
		members := make([]analysis.Member, len(group))
		for i, series := range group {
			members[i] = analysis.Member{Project: a.project, Series: series}
		}
		r.Groups = append(r.Groups, members)
	}
	answer, err := a.engine.Answer(ctx, r)
	if err != nil {
		return nil, err
	}
	var cells []cell
	for g := range answer.Groups {
		for i, b := range answer.Groups[g].Buckets {
			if b != nil {
				cells = append(cells, q.cell(b, g, answer.Bounds[i]))
			}
		}
	}
	return cells, nil
}

// cell takes from a bucket what is asked.
func (q *question) cell(b *stats.Bucket, group int, start int64) cell {
	c := cell{group: group, start: start, n: int64(valueOf(stats.Count, b))}
	if q.extremes {
		c.min, c.mean, c.max = valueOf(stats.Min, b), valueOf(stats.Mean, b), valueOf(stats.Max, b)
	}
	for _, at := range q.quantiles {
		c.quantiles = append(c.quantiles, valueOf(stats.Quantile(at), b))
	}
	return c
}

// valueOf is NaN, which equals nothing, where there is no value.
func valueOf(of stats.Statistic, b *stats.Bucket) float64 {
	v, ok := of(b)
	if !ok {
		return math.NaN()
	}
	return v
}

// sameCells compares what both have said: a figure that is wrong is not fast.
func sameCells(got, want []cell, q *question) error {
	type place struct {
		group int
		start int64
	}
	wanted := make(map[place]cell, len(want))
	for _, c := range want {
		wanted[place{c.group, c.start}] = c
	}
	if len(got) != len(want) || len(want) != len(wanted) {
		return fmt.Errorf("%d buckets with readings, and of the rows %d", len(got), len(want))
	}
	for _, c := range got {
		w, ok := wanted[place{c.group, c.start}]
		if !ok || !q.same(c, w) {
			return fmt.Errorf("the bucket %s is %+v, and of the rows %+v", time.UnixMicro(c.start).UTC(), c, w)
		}
	}
	return nil
}

// equalCells reports whether two cells are the same to the bit.
func equalCells(a, b cell) bool {
	return a.group == b.group && a.start == b.start && a.n == b.n && a.min == b.min && a.mean == b.mean && a.max == b.max &&
		slices.Equal(a.quantiles, b.quantiles)
}

func (q *question) same(got, want cell) bool {
	if got.n != want.n || got.min != want.min || got.max != want.max || !near(got.mean, want.mean, 1e-9) {
		return false
	}
	within := stats.Accuracy
	if q.exact {
		within = 1e-9
	}
	for i := range q.quantiles {
		if !near(got.quantiles[i], want.quantiles[i], within) {
			return false
		}
	}
	return true
}

// near reports whether got is want, but for a relative error.
func near(got, want, within float64) bool {
	return math.Abs(got-want) <= within*math.Abs(want)+1e-9
}
