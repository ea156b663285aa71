package analysis

import (
	"cmp"
	"slices"

	"github.com/readout-dev/readout/stats"
)

// threader puts together the line through the readings of one series, which come in the order of time, and gives each
// interval its share, once. It holds no more than two pieces of the line at a time.
type threader struct {
	cuts []int64 // of the intervals
	emit func(interval int, t stats.LineTotal)

	share stats.LineTotal // of the interval of, as far as it is known
	of    int
	some  bool // there is one

	before stats.Line // the piece before open
	behind int        // its interval
	lent   bool       // there is one

	open  stats.Line // what there is of the line in the interval at
	at    int        // -1 before the cuts, len(cuts)-1 behind them
	begun bool       // there is one

	lines [3]stats.Line
}

// add takes the next piece of the line, which belongs to an interval. If it reaches beyond that, it cannot be divided: the
// interval is given all of it, and it is not joined to its neighbours.
func (th *threader) add(interval int, l stats.Line, thresholds []float64) {
	switch {
	case !th.holds(interval, &l):
		th.cut(thresholds)
		th.alone(interval, l)
		return
	case th.begun && th.at == interval:
		th.open = th.open.Append(l)
		return
	case th.begun:
		th.close(&l, thresholds)
		th.before, th.behind, th.lent = th.open, th.at, true
	}
	th.open, th.at, th.begun = l, interval, true
}

// holds reports whether a line lies wholly in an interval, also in that before the first cut, or behind the last.
func (th *threader) holds(interval int, l *stats.Line) bool {
	return (interval < 0 || l.FirstAt >= th.cuts[interval]) && (interval+1 >= len(th.cuts) || l.LastAt < th.cuts[interval+1])
}

// give adds to the share of an interval. They come in order.
func (th *threader) give(interval int, t stats.LineTotal) {
	if th.of != interval {
		th.handOut()
	}
	th.of, th.some = interval, true
	th.share.Extend(t)
}

// handOut emits the share that is known by now.
func (th *threader) handOut() {
	if th.some {
		th.emit(th.of, th.share)
	}
	th.share, th.some = stats.LineTotal{}, false
}

// close gives the open interval, and those without readings in front of it, their shares. next is the piece behind it,
// nil when there is none.
func (th *threader) close(next *stats.Line, thresholds []float64) {
	low, end, lines := max(th.at, 0), min(th.at+1, len(th.cuts)-1), th.lines[:0]
	if th.lent {
		low, lines = th.behind+1, append(lines, th.before)
	}
	if low >= end {
		return
	}
	lines = append(lines, th.open)
	if next != nil {
		lines = append(lines, *next)
	}
	stats.JoinLines(lines, th.cuts[low:end+1], thresholds, func(i int, t stats.LineTotal) { th.give(low+i, t) })
}

// cut ends the line: what comes next is not joined to it.
func (th *threader) cut(thresholds []float64) {
	if th.begun {
		th.close(nil, thresholds)
	}
	th.begun, th.lent = false, false
}

// end gives the last intervals their shares.
func (th *threader) end(thresholds []float64) {
	th.cut(thresholds)
	th.handOut()
}

// side returns the interval of the whole range: 0 for those in it, -1 before it, 1 behind.
func (th *threader) side(interval int) int {
	switch {
	case interval < 0:
		return -1
	case interval >= len(th.cuts)-1:
		return 1
	}
	return 0
}

// alone gives an interval all of a line that cannot be divided.
func (th *threader) alone(interval int, l stats.Line) {
	if interval >= 0 && interval < len(th.cuts)-1 {
		stats.JoinLines([]stats.Line{l}, []int64{l.FirstAt, l.LastAt + 1}, nil, func(_ int, t stats.LineTotal) { th.give(interval, t) })
	}
}

// piece is a piece of the line of a series.
type piece struct {
	stats.Line
	interval int // of its middle, if it reaches over a cut
}

// tracer follows the lines of some series.
type tracer struct {
	thresholds []float64
	pieces     [][]piece  // by series: those that have not been joined yet
	buckets    []threader // by series
	totals     []threader // by series; nil where the range is one interval
}

// newTracer returns one for so many series, whose shares of an interval go to emit, and those of the range to emitTotal.
func newTracer(series int, f *frame, thresholds []float64, emit func(series, interval int, t stats.LineTotal), emitTotal func(series int, t stats.LineTotal)) *tracer {
	t := &tracer{thresholds: thresholds, pieces: make([][]piece, series), buckets: make([]threader, series)}
	for i := range t.buckets {
		t.buckets[i] = threader{cuts: f.cuts, emit: func(interval int, t stats.LineTotal) { emit(i, interval, t) }}
	}
	if f.intervals() == 1 {
		return t
	}
	whole := []int64{f.from(), f.to()}
	t.totals = make([]threader, series)
	for i := range t.totals {
		t.totals[i] = threader{cuts: whole, emit: func(_ int, t stats.LineTotal) { emitTotal(i, t) }}
	}
	return t
}

// add takes a piece of the line of a series, in any order but behind what is joined.
func (t *tracer) add(series int, p piece) {
	t.pieces[series] = append(t.pieces[series], p)
}

// join puts the pieces together that a series has before a time: all of them are there by now.
func (t *tracer) join(series int, until int64) {
	ps := t.pieces[series]
	slices.SortFunc(ps, func(a, b piece) int { return cmp.Compare(a.FirstAt, b.FirstAt) })
	n := 0
	for ; n < len(ps) && ps[n].FirstAt < until; n++ {
		t.buckets[series].add(ps[n].interval, ps[n].Line, t.thresholds)
		if t.totals != nil {
			t.totals[series].add(t.buckets[series].side(ps[n].interval), ps[n].Line, t.thresholds)
		}
	}
	t.pieces[series] = append(ps[:0], ps[n:]...)
}

// end gives the last intervals their shares.
func (t *tracer) end() {
	for i := range t.buckets {
		t.buckets[i].end(t.thresholds)
		if t.totals != nil {
			t.totals[i].end(t.thresholds)
		}
	}
}
