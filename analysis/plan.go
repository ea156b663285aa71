package analysis

import (
	"context"
	"sort"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/stats"
)

const (
	hour = int64(3_600_000_000)
	day  = 24 * hour
)

// rollupUse says which readings a task takes rollups for.
type rollupUse int

const (
	noRollups   rollupUse = iota
	goneRollups           // those that have gone by age
	allRollups
)

// plan decides whether rollups are used, and divides the work.
//
// As long as there are few readings they are read themselves: that takes some milliseconds, and their quantiles are
// exact. But where readings have gone by age and rollups have not, these are all there is.
func (e *Engine) plan(ctx context.Context, t *task, found size) ([]share, error) {
	switch {
	case found.readings > e.few(t.need) && len(t.need.Thresholds) == 0 && t.frame.holdsHour():
		t.rollups = allRollups
	case found.outlived:
		t.rollups = goneRollups
	}
	if err := e.findFirst(ctx, t); err != nil {
		return nil, err
	}
	return t.shares(found.readings), nil
}

// few is how many readings are read themselves.
func (e *Engine) few(need stats.Need) int {
	if need.Values {
		return e.cfg.RawValues
	}
	return e.cfg.RawSummaries
}

// manyStretches are so many that it pays to look for the first reading.
const manyStretches = 16

// findFirst finds the day of the first reading, if there may be many stretches before it.
func (e *Engine) findFirst(ctx context.Context, t *task) error {
	t.first = t.frame.from() - stats.MaxGap
	to := t.frame.to()
	if t.rollups == noRollups || to-t.first <= manyStretches*t.stretchOf(len(t.index.series)) {
		return nil
	}
	first, _, err := e.rangeOf(ctx, t.index, &Request{To: &to})
	t.first = first - mod(first, day) // whole, or its rollup were cut
	return err
}

// worthSplitting is how many readings keep a goroutine busy longer than it takes to begin another read.
const worthSplitting = 20_000

// shares divides the work on each project among two goroutines. How does not depend on the machine, and so neither does the
// rounding of sums. One series is not divided: to look for its rows twice takes as long as is gained.
func (t *task) shares(readings int) (shares []share) {
	middle, ok := t.middle()
	for i := range t.index.projects {
		p := &t.index.projects[i]
		all := p.share(t.frame)
		switch {
		case readings <= worthSplitting || len(p.series) == 1:
			shares = append(shares, all)
		case ok:
			shares = append(shares, all.at(middle)...)
		default:
			shares = append(shares, all.split(t.index.halves(p))...)
		}
	}
	return shares
}

// middle returns the cut that divides in two what there may be, if neither half is much larger and time may be divided: the
// rollups of all series on a day lie together, but a chunk holds days of one series, and a line goes on behind the cut.
func (t *task) middle() (cut int64, ok bool) {
	if t.rollups != allRollups || t.need.Line {
		return 0, false
	}
	from, to := max(t.frame.from(), t.first), min(t.frame.to(), time.Now().UnixMicro())
	cuts, half := t.frame.cuts, from+(to-from)/2
	i := sort.Search(len(cuts)-1, func(i int) bool { return cuts[i] >= half })
	if cut = cuts[i]; i > 0 && cut-half > half-cuts[i-1] {
		cut = cuts[i-1]
	}
	alike := (to - from) / 8
	return cut, half-alike <= cut && cut <= half+alike
}

// stretch is a range of time that is read at once, and the cuts in it.
type stretch []int64

func (s stretch) from() int64 { return s[0] }
func (s stretch) to() int64   { return s[len(s)-1] }

// maxUnits is how much a share holds, about, of what rollups give in any order: days that a cut divides, and of each day the
// hours where these have pieces of lines, or are some kB because of their sketches.
const maxUnits = 200_000

// stretchOf returns how long a stretch is for which so many series have maxUnits: some days.
func (t *task) stretchOf(series int) (length int64) {
	units := 1 // of a day
	if t.need.Line || t.need.Values {
		units = 24
	}
	return max(int64(maxUnits/(units*series)), 1) * day
}

// stretches returns what is read one after the other: a line needs the readings next to the range, and rollups are read so
// many at a time.
func (f *folder) stretches() (all []stretch) {
	from, to := f.from, f.to
	if f.need.Line {
		from, to = from-stats.MaxGap, to+stats.MaxGap
	}
	if f.rollups == noRollups {
		return []stretch{f.frame.within(from, to)}
	}
	today, length := time.Now().UnixMicro(), f.stretchOf(len(f.series))
	for from = max(from, f.first); from < to; {
		end := to
		if from < today { // later on nothing is rolled up
			end = min(from-mod(from, day)+length, to)
		}
		all = append(all, f.frame.within(from, end))
		from = end
	}
	return all
}

// mod is the remainder of a division that rounds down.
func mod(a, b int64) int64 { return ((a % b) + b) % b }

// summaries folds what rollups say of a stretch, and returns the parts that they leave.
func (f *folder) summaries(ctx context.Context, s stretch) (left []history.Part, err error) {
	if f.rollups == noRollups {
		return []history.Part{{From: s.from(), To: s.to(), Series: f.series}}, nil
	}
	return f.source.Summaries(ctx, history.SummaryQuery{
		Project: f.project, Series: f.series, Bounds: s, GoneOnly: f.rollups == goneRollups, Sketches: f.need.Values, Lines: f.need.Line, Plain: f.need.Plain,
	}, f.addUnit)
}
