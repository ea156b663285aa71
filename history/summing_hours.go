package history

import (
	"slices"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/store"
)

// hourSpans returns where the hours of the cut days are. A day of few readings has none.
func (s *summing) hourSpans() (spans []store.SeriesSpan) {
	for _, d := range s.cutDays {
		if d.count < pack.HourMin {
			continue
		}
		series := s.q.Series[d.place]
		if n := len(spans); n > 0 && spans[n-1].Series == series && spans[n-1].To == d.time {
			spans[n-1].To += dayLen
		} else {
			spans = append(spans, store.SeriesSpan{Series: series, From: d.time, To: d.time + dayLen})
		}
	}
	return spans
}

// takeHour takes the rollup of an hour of a cut day.
func (s *summing) takeHour(row *store.Rollup) error {
	day := floor(row.Start, dayLen)
	for s.next < len(s.cutDays) {
		d := s.cutDays[s.next]
		if series := s.q.Series[d.place]; series == row.Series && d.time == day {
			from := len(s.sketch)
			s.sketch = append(s.sketch, row.Sketch...)
			s.hours = append(s.hours, *row)
			s.hours[len(s.hours)-1].Sketch = s.sketch[from:len(s.sketch):len(s.sketch)]
			return nil
		}
		if err := s.endCutDay(); err != nil {
			return err
		}
	}
	return outOfTurn(row)
}

// endCutDay uses the hours of the next cut day, which are all there.
func (s *summing) endCutDay() error {
	d, hours := s.cutDays[s.next], s.hours
	s.next, s.hours, s.sketch = s.next+1, s.hours[:0], s.sketch[:0]
	s.enter(d.place, d.time)
	whole := interval{d.time, d.time + dayLen}
	if d.deleted {
		s.answer(whole)
		return nil
	}
	count := 0
	for i := range hours {
		count += hours[i].Count
	}
	switch {
	case count == d.count:
		for i := range hours {
			if err := s.useHour(d.place, &hours[i], d.gone != nil); err != nil {
				return err
			}
		}
		return nil
	case d.gone != nil:
		s.answer(whole)
		return s.giveCoarse(d.place, d.gone, dayLen)
	}
	s.rest.some = true
	return nil
}

// useHour gives the hour, or leaves what of it lies in the range.
func (s *summing) useHour(place int, row *store.Rollup, gone bool) error {
	of := interval{row.Start, row.Start + hourLen}
	within := s.clip(of)
	if within.from >= within.to {
		return nil
	}
	cut, says := within != of || s.crossed(of), s.says(row)
	switch {
	case !cut && (says || gone):
		s.answer(of)
		return s.give(place, row, hourLen, !says)
	case gone:
		s.answer(of)
		return s.giveCoarse(place, row, hourLen)
	}
	s.rest.some = true
	return nil
}

// crossed reports whether a bound lies within the stretch.
func (s *summing) crossed(of interval) bool {
	i, _ := slices.BinarySearch(s.q.Bounds, of.from+1)
	return i < len(s.q.Bounds) && s.q.Bounds[i] < of.to
}

// rest is what is left of a series in a run of cut days. What lies between two readings that are left, or between one of them
// and a unit or an end of the run, has no readings, and is left with them: so there are few stretches, and many series have
// the same.
type rest struct {
	place int
	run   interval
	from  int64 // the end of the last unit
	some  bool  // something has been left since
}

// enter goes on to a cut day of a series.
func (s *summing) enter(place int, day int64) {
	i, _ := slices.BinarySearchFunc(s.runs, day, func(run interval, day int64) int {
		if run.to <= day {
			return -1
		}
		return 1
	})
	if s.rest.place == place && s.rest.run == s.runs[i] {
		return
	}
	s.endRun()
	s.rest = rest{place: place, run: s.runs[i], from: s.runs[i].from}
}

// answer says that a unit answers the part of the run.
func (s *summing) answer(part interval) {
	part = s.clip(part)
	if s.rest.some {
		s.leave(s.rest.place, interval{s.rest.from, part.from})
	}
	s.rest.from, s.rest.some = part.to, false
}

// endRun ends a run of a series.
func (s *summing) endRun() {
	if s.rest.some {
		s.leave(s.rest.place, interval{s.rest.from, s.rest.run.to})
	}
	s.rest = rest{}
}
