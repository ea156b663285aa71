package analysis

import (
	"context"
	"fmt"
	"math"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// spanReadings is how many readings one goroutine holds at a time, about: history uses their memory again.
const spanReadings = 200_000

// task is what an answer asks of a range: which all of its shares have in common.
type task struct {
	frame   *frame
	index   *index
	need    stats.Need
	rollups rollupUse
	first   int64 // where there are rollups, none lies before this time
	held    *held
}

// share is a part of a task: some series of one project, in the range or a part of it.
type share struct {
	project  int64
	series   []int64 // ascending
	places   []int   // of each
	from, to int64
}

// split divides s in two by series; of says of each in which half it is.
func (s share) split(of []int) []share {
	halves := []share{{project: s.project, from: s.from, to: s.to}, {project: s.project, from: s.from, to: s.to}}
	for i, half := range of {
		h := &halves[half]
		h.series, h.places = append(h.series, s.series[i]), append(h.places, s.places[i])
	}
	return halves
}

// at divides s in two at a time.
func (s share) at(time int64) []share {
	before, after := s, s
	before.to, after.from = time, time
	return []share{before, after}
}

// folder folds what a share reads into a grid. It is for one goroutine.
type folder struct {
	*task
	share
	source Source
	grid   *grid
	tracer *tracer // nil where no line is needed
	near   int     // the interval of what came last
	length int     // how many readings of a series it had

	presized int // values for which there was room made

	work work
}

func newFolder(t *task, s share, source Source) *folder {
	f := &folder{task: t, share: s, source: source, grid: newGrid(t.index.groups, t.frame.intervals())}
	if t.need.Line {
		f.tracer = newTracer(len(s.series), t.frame, t.need.Thresholds, f.addLine, f.addTotal)
	}
	return f
}

// run reads the share and folds it.
func (f *folder) run(ctx context.Context) error {
	for _, s := range f.stretches() {
		left, err := f.summaries(ctx, s)
		if err != nil {
			return err
		}
		for _, part := range left {
			if err := f.raw(ctx, part); err != nil {
				return err
			}
		}
		f.join(s.to())
	}
	f.end()
	return nil
}

// join puts the lines together that lie before a time.
func (f *folder) join(until int64) {
	if f.tracer != nil {
		for i := range f.series {
			f.tracer.join(i, until)
		}
	}
}

// end ends the lines.
func (f *folder) end() {
	if f.tracer != nil {
		f.tracer.end()
	}
}

// raw folds the readings of a part.
func (f *folder) raw(ctx context.Context, part history.Part) error {
	places := f.placesOf(part.Series)
	for span, err := range f.source.Spans(ctx, f.project, part.Series, part.From, part.To, spanReadings) {
		if err != nil {
			return err
		}
		if err := f.addSpan(places, span); err != nil {
			return err
		}
	}
	return nil
}

// addSpan folds a span of the series at these places.
func (f *folder) addSpan(places []int, span history.Span) error {
	f.work.fresh += span.Fresh
	for i, rs := range span.Series {
		f.addReadings(places[i], rs)
		if f.tracer != nil { // parts come in the order of time, and rollups before them
			f.tracer.join(places[i], span.To)
		}
	}
	return f.bound()
}

// placesOf returns where the series stand in the share; both are ascending.
func (f *folder) placesOf(series []int64) []int {
	places, at := make([]int, len(series)), 0
	for i, s := range series {
		for f.series[at] != s {
			at++
		}
		places[i] = at
	}
	return places
}

// bound keeps what is held within bounds.
func (f *folder) bound() error {
	if !f.held.tooManyValues() {
		return f.held.check()
	}
	f.grid.spill(f.held)
	return f.held.check()
}

// addReadings folds readings of the i-th series, in the order of time.
func (f *folder) addReadings(i int, rs []reading.Reading) {
	f.work.readings += len(rs)
	for len(rs) > 0 {
		k := f.frame.at(rs[0].Time, f.near)
		switch {
		case k < 0:
			n := before(rs, f.frame.from(), f.length)
			f.margin(i, k, rs[n-1:n])
			rs = rs[n:]
		case k >= f.frame.intervals():
			f.margin(i, k, rs[:1])
			return
		default:
			n := before(rs, f.frame.cuts[k+1], f.length)
			f.addPiece(i, k, rs[:n])
			f.near, f.length, rs = k, n, rs[n:]
		}
	}
}

// margin takes a reading outside the range, for the segment that it lends.
func (f *folder) margin(i, interval int, rs []reading.Reading) {
	if f.tracer != nil {
		f.tracer.add(i, piece{Line: stats.NewLine(rs, f.need.Thresholds), interval: interval})
	}
}

// addPiece folds readings of the i-th series in one interval.
func (f *folder) addPiece(i, interval int, rs []reading.Reading) {
	place, summary := f.places[i], stats.Summarize(rs)
	for _, g := range f.index.wanted[place] {
		c := f.grid.at(g, interval)
		c.summarize(summary, place, place)
		f.held.label(c, f.need.Labels, f.index.labels[place])
		if f.need.Values {
			f.makeRoom(c, len(rs)*f.index.members[g])
			c.Values.AddValues(rs)
			f.held.addValues(len(rs))
		}
	}
	if f.tracer != nil {
		f.tracer.add(i, piece{Line: stats.NewLine(rs, f.need.Thresholds), interval: interval})
	}
}

// presized is for how many values a share makes room before they come: if they do not, the memory is wasted.
const presized = 250_000

// makeRoom makes room for so many values in a cell that has none, if all of its series are like the first: most of the time of
// adding a few values would go into moving those that are there.
func (f *folder) makeRoom(c *cell, values int) {
	if c.Values.Len() == 0 && f.presized+values <= presized {
		c.Values.Grow(values)
		f.presized += values
	}
}

// addUnit folds a rollup.
func (f *folder) addUnit(u *history.Unit) error {
	at := u.Start
	if u.Coarse {
		at += u.Length / 2
	}
	k := f.frame.at(at, f.near)
	f.traceUnit(u.Place, k, u)
	if k < 0 || k >= f.frame.intervals() {
		return nil
	}
	f.near = k
	if u.Length >= day {
		f.work.days++
	} else {
		f.work.hours++
	}
	place := f.places[u.Place]
	for _, g := range f.index.wanted[place] {
		c := f.grid.at(g, k)
		c.summarize(u.Summary, place, place)
		f.held.label(c, f.need.Labels, f.index.labels[place])
		c.Coarse = c.Coarse || u.Coarse || len(f.need.Thresholds) > 0 // of which no rollup knows
		if !f.need.Values || len(u.Sketch) == 0 {
			continue
		}
		f.held.sketch(c)
		if err := c.Values.AddEncoded(u.Sketch); err != nil {
			return fmt.Errorf("read the rollup of series %d at %d: %w", u.Series, u.Start, err)
		}
	}
	return f.held.check()
}

// traceUnit takes the line of a rollup, if it is known and says enough.
func (f *folder) traceUnit(i, interval int, u *history.Unit) {
	if f.tracer == nil || len(f.need.Thresholds) > 0 || math.IsNaN(u.Area) || math.IsNaN(u.Increase) {
		return
	}
	f.tracer.add(i, piece{Line: stats.LineOf(u.Summary, u.Area, u.Increase), interval: interval})
}

func (f *folder) addLine(i, interval int, t stats.LineTotal) {
	for _, g := range f.index.wanted[f.places[i]] {
		f.grid.at(g, interval).Line.Merge(t)
	}
}

func (f *folder) addTotal(i int, t stats.LineTotal) {
	for _, g := range f.index.wanted[f.places[i]] {
		f.grid.totals[g].Merge(t)
	}
}

// before returns how many of rs, which are of one series, lie before a time: at least the first does. It looks near a guess
// first, since readings that nobody has touched yet are slow to look at.
func before(rs []reading.Reading, t int64, guess int) int {
	low, high := 0, len(rs) // rs[low] lies before t, rs[high] does not
	for at, step := min(guess, len(rs)-1), 1; 0 < at && at < len(rs); step *= 2 {
		if rs[at].Time < t {
			low, at = at, at+step
		} else {
			high, at = at, at-step
		}
		if low > 0 && high < len(rs) {
			break
		}
	}
	for low+1 < high {
		if middle := (low + high) / 2; rs[middle].Time < t {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
