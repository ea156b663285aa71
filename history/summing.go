package history

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// Lengths of time in µs.
const (
	hourLen = int64(time.Hour / time.Microsecond)
	dayLen  = 24 * hourLen
)

// floor returns t rounded down to a multiple of unit, also before 1970.
func floor(t, unit int64) int64 {
	down := t - t%unit
	if down > t {
		down -= unit
	}
	return down
}

// ceil returns t rounded up to a multiple of unit.
func ceil(t, unit int64) int64 { return floor(t-1, unit) + unit }

// beginning is before every reading, and far enough from the least number to count days from.
const beginning = math.MinInt64 / 2

// summing answers a SummaryQuery by rollups. It is for one goroutine.
type summing struct {
	q        SummaryQuery
	from, to int64 // of what rollups may answer: the days before today
	take     func(*Unit) error
	failed   error // what take said, or errBehind
	columns  store.RolledColumns

	rolled    *store.Rolled
	month     interval   // the month that was asked for last, and
	gone      bool       // whether its readings are gone
	kept      []interval // with GoneOnly: months with rollups of which the readings are there
	cuts      []int64    // the days, by their beginnings, that a bound cuts: ascending
	runs      []interval
	deletions [][]reading.Deletion // that are not packed, of each series
	changed   [][]interval         // of each series: days of which rollups do not say all, ascending
	answered  []seriesTime         // days that rollups answer though they are among changed
	left      [][]interval         // of each series

	// Of the last row of a day:
	place int
	day   int64
	cut   bool

	cutDays []cutDay       // those that have a row
	next    int            // the first of them of which not all hours have come
	hours   []store.Rollup // of that one
	sketch  []byte         // the memory of their sketches
	rest    rest
	unit    Unit
}

// interval is from <= time < to (µs).
type interval struct{ from, to int64 }

// seriesTime is a time of the series at a place in the query.
type seriesTime struct {
	place int
	time  int64
}

func (a seriesTime) compare(b seriesTime) int {
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.time, b.time))
}

// cutDay is the row of a day that a bound cuts.
type cutDay struct {
	seriesTime
	count   int
	gone    *store.Rollup // the row, where the readings of the day are gone
	deleted bool          // and what it says is deleted
}

func newSumming(q SummaryQuery, today int64, take func(*Unit) error) *summing {
	from, to := max(q.Bounds[0], beginning), q.Bounds[len(q.Bounds)-1]
	s := &summing{
		q: q, from: from, to: min(to, today), take: take,
		columns: store.RolledColumns{Sketches: q.Sketches, Lines: q.Lines, Plain: q.Plain},
		left:    make([][]interval, len(q.Series)), day: math.MinInt64,
	}
	for _, bound := range q.Bounds {
		day := floor(max(bound, beginning), dayLen)
		if n := len(s.cuts); day != bound && day < s.to && (n == 0 || s.cuts[n-1] != day) {
			s.cuts = append(s.cuts, day)
		}
	}
	return s
}

// begin takes note of what is not rolled up, unless the tail is behind.
func (s *summing) begin(held tail.Snapshot, rolled *store.Rolled) error {
	if rolled.To > held.Offset {
		s.failed = errBehind
		return errBehind
	}
	s.rolled = rolled
	s.note(held.Deletions)
	s.changed = make([][]interval, len(s.q.Series))
	change := func(place int, from, to int64) {
		from, to = max(from, s.from), min(to, s.to)
		if from < to {
			from, to = floor(from, dayLen), ceil(to, dayLen)
			s.changed[place] = append(s.changed[place], interval{from, to})
		}
	}
	for place, rs := range held.Readings {
		for len(rs) > 0 {
			end := floor(rs[0].Time, dayLen) + dayLen
			change(place, rs[0].Time, end)
			rs = rs[sort.Search(len(rs), func(i int) bool { return rs[i].Time >= end }):]
		}
	}
	for place, deletions := range s.deletions {
		for _, d := range deletions {
			change(place, d.From, d.To)
		}
	}
	for _, row := range rolled.Unsettled {
		place, _ := slices.BinarySearch(s.q.Series, row.FirstSeries)
		for ; place < len(s.q.Series) && s.q.Series[place] <= row.LastSeries; place++ {
			change(place, row.Day, row.Day+dayLen)
		}
	}
	for place := range s.changed {
		s.changed[place] = union(s.changed[place])
	}
	s.findRuns()
	return nil
}

// note takes note of deletions that are not packed.
func (s *summing) note(deletions []reading.Deletion) {
	s.deletions = make([][]reading.Deletion, len(s.q.Series))
	for _, d := range deletions {
		place, _ := slices.BinarySearch(s.q.Series, d.Series)
		s.deletions[place] = append(s.deletions[place], d)
	}
}

// findRuns finds, in runs, the cut days that follow on each other.
func (s *summing) findRuns() {
	for _, day := range s.cuts {
		if n := len(s.runs); n > 0 && s.runs[n-1].to == day {
			s.runs[n-1].to = day + dayLen
		} else {
			s.runs = append(s.runs, interval{day, day + dayLen})
		}
	}
	for i := range s.runs {
		s.runs[i] = s.clip(s.runs[i])
	}
}

// clip returns what of a stretch lies in the range.
func (s *summing) clip(of interval) interval { return interval{max(of.from, s.from), min(of.to, s.to)} }

// isGone reports whether the readings of a day may have gone by age, if it has a rollup.
func (s *summing) isGone(day int64) bool {
	if day < s.month.from || day >= s.month.to {
		at := time.UnixMicro(day).UTC()
		first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		s.month = interval{first.UnixMicro(), first.AddDate(0, 1, 0).UnixMicro()}
		s.gone = s.rolled.Gone(day)
	}
	return s.gone
}

// readHours reads the rollups of the hours of cut days, when the days have been taken.
func (s *summing) readHours(ctx context.Context) error {
	slices.SortFunc(s.cutDays, func(a, b cutDay) int { return a.compare(b.seriesTime) })
	if err := s.rolled.Hours(ctx, s.hourSpans(), s.columns, s.takeHour); err != nil {
		return err
	}
	for s.next < len(s.cutDays) {
		if err := s.endCutDay(); err != nil {
			return err
		}
	}
	s.endRun()
	return nil
}

// takeDay takes the rollup of a day. Rows come day by day, mostly.
func (s *summing) takeDay(row *store.Rollup) error {
	if err := s.seek(row); err != nil {
		return err
	}
	if s.day != row.Start {
		s.day = row.Start
		_, s.cut = slices.BinarySearch(s.cuts, row.Start)
	}
	switch dirty := s.hasChanged(s.place, row.Start); {
	case s.isGone(row.Start):
		return s.takeGone(row, dirty)
	case s.q.GoneOnly:
		if n := len(s.kept); n == 0 || s.kept[n-1] != s.month {
			s.kept = append(s.kept, s.month)
		}
		return nil
	case dirty:
		return nil
	case s.cut:
		s.cutDays = append(s.cutDays, cutDay{seriesTime: seriesTime{s.place, row.Start}, count: row.Count})
		return nil
	case !s.says(row):
		s.leave(s.place, interval{row.Start, row.Start + dayLen})
		return nil
	}
	return s.give(s.place, row, dayLen, false)
}

// seek finds the place of a row: often the next one.
func (s *summing) seek(row *store.Rollup) error {
	if s.place++; s.place < len(s.q.Series) && s.q.Series[s.place] == row.Series {
		return nil
	}
	var ok bool
	if s.place, ok = slices.BinarySearch(s.q.Series, row.Series); !ok {
		return outOfTurn(row)
	}
	return nil
}

// hasChanged reports whether rollups do not say all of a day.
func (s *summing) hasChanged(place int, day int64) bool {
	changed := s.changed[place]
	if len(changed) == 0 {
		return false
	}
	i := sort.Search(len(changed), func(i int) bool { return changed[i].to > day })
	return i < len(changed) && changed[i].from <= day
}

func outOfTurn(row *store.Rollup) error {
	return fmt.Errorf("the rollup of series %d at %d comes out of turn", row.Series, row.Start)
}

// takeGone takes the rollup of a day whose readings are gone.
func (s *summing) takeGone(row *store.Rollup, dirty bool) error {
	if dirty {
		s.answered = append(s.answered, seriesTime{s.place, row.Start})
	}
	deleted := s.deleted(s.place, row.Start)
	switch {
	case s.cut:
		kept := *row
		kept.Sketch = slices.Clone(row.Sketch)
		s.cutDays = append(s.cutDays, cutDay{seriesTime{s.place, row.Start}, row.Count, &kept, deleted})
		return nil
	case deleted:
		return nil
	}
	return s.give(s.place, row, dayLen, !s.says(row))
}

// deleted reports whether a deletion that is not packed covers the day: then its rollup goes, which otherwise stays.
func (s *summing) deleted(place int, day int64) bool {
	return slices.ContainsFunc(s.deletions[place], func(d reading.Deletion) bool { return d.From <= day && d.To >= day+dayLen })
}

// says reports whether a rollup has what was asked for.
func (s *summing) says(row *store.Rollup) bool {
	return (!s.q.Sketches || len(row.Sketch) > 0) && (!s.q.Lines || !math.IsNaN(row.Area) && !math.IsNaN(row.Increase))
}

// give calls take.
func (s *summing) give(place int, row *store.Rollup, length int64, coarse bool) error {
	s.unit.Rollup, s.unit.Place, s.unit.Length, s.unit.Coarse = *row, place, length, coarse
	s.failed = s.take(&s.unit)
	return s.failed
}

// giveCoarse calls take with a rollup that is cut, if its middle is in the range.
func (s *summing) giveCoarse(place int, row *store.Rollup, length int64) error {
	if middle := row.Start + length/2; middle < s.from || middle >= s.to {
		return nil
	}
	return s.give(place, row, length, true)
}

func (s *summing) leave(place int, of interval) { s.left[place] = append(s.left[place], of) }

// finish leaves what no rollup answered.
func (s *summing) finish() {
	for _, month := range union(s.kept) {
		for place := range s.left {
			s.leave(place, s.clip(month))
		}
	}
	slices.SortFunc(s.answered, seriesTime.compare)
	for place, changed := range s.changed {
		for len(s.answered) > 0 && s.answered[0].place == place {
			changed = without(changed, s.answered[0].time)
			s.answered = s.answered[1:]
		}
		for _, of := range changed {
			s.leave(place, s.clip(of))
		}
	}
}

// without returns stretches of days without one of the days.
func without(of []interval, day int64) (rest []interval) {
	for _, o := range of {
		if day < o.from || day >= o.to {
			rest = append(rest, o)
			continue
		}
		if o.from < day {
			rest = append(rest, interval{o.from, day})
		}
		if day+dayLen < o.to {
			rest = append(rest, interval{day + dayLen, o.to})
		}
	}
	return rest
}
