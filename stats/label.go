package stats

import (
	"fmt"
	"time"
)

// Label names the bucket that begins at start by its place on the calendar: year 2018, quarter 2018-Q2, month 2018-04, ISO
// week 2018-W23 (the first day's date, where weeks do not begin on Monday), day 2018-04-03, and the clock's time for parts of
// a day, 2018-04-03T14, 2018-04-03T14:05 or 2018-04-03T14:05:30. Where a change of the clock makes two buckets of one place,
// the offset is appended: 2018-10-28T02+02:00. It is "" where buckets have no such place: those of the whole range, counted
// from its beginning, or of other lengths.
func (w Window) Label(start int64) string {
	switch {
	case w.FromRange:
		return ""
	case w.Every.dividesDay():
		return w.timeLabel(start)
	}
	at := time.UnixMicro(start).UTC()
	if w.Zone != nil {
		at = at.In(w.Zone)
	}
	return w.dateLabel(at)
}

// dateLabel names a bucket of whole days by the day on which it begins.
func (w Window) dateLabel(at time.Time) string {
	switch w.Every {
	case Year.Period():
		return at.Format("2006")
	case Quarter.Period():
		return fmt.Sprintf("%04d-Q%d", at.Year(), (at.Month()+2)/3)
	case Month.Period():
		return at.Format("2006-01")
	case Week.Period():
		if w.WeekStart == Monday {
			year, week := at.ISOWeek()
			return fmt.Sprintf("%04d-W%02d", year, week)
		}
		return at.Format(time.DateOnly)
	case Day.Period():
		return at.Format(time.DateOnly)
	}
	return ""
}

// timeLabel names a bucket that is a part of a day by its place on the clock, which begins a little earlier where the clock was
// changed in it.
func (w Window) timeLabel(start int64) string {
	var layout string
	switch length := w.Every.Time; {
	case length%time.Hour == 0:
		layout = "2006-01-02T15"
	case length%time.Minute == 0:
		layout = "2006-01-02T15:04"
	case length%time.Second == 0:
		layout = time.DateOnly + "T" + time.TimeOnly
	default:
		return ""
	}
	clock := wall{zone: w.Zone}
	s, length := clock.at(start), w.Every.Time.Microseconds()
	place := floor(start+s.offset, length)
	label := time.UnixMicro(place).UTC().Format(layout)
	if w.ticks() && clock.shares(s, place, place+length) {
		label += offsetLabel(s.offset)
	}
	return label
}

// shares reports whether the clock shows some times from <= shown < to in s and others, or the same, before or behind s.
func (w *wall) shares(s span, from, to int64) bool {
	if s.from > from-maxOffset && s.from+w.at(s.from-1).offset > from {
		return true
	}
	return s.to < to+maxOffset && s.to+w.at(s.to).offset < to
}

// offsetLabel writes an offset as ISO 8601 does, with seconds where it has any.
func offsetLabel(offset int64) string {
	layout := "-07:00"
	if offset%(60*1_000_000) != 0 {
		layout = "-07:00:00"
	}
	return time.Unix(0, 0).In(time.FixedZone("", int(offset/1_000_000))).Format(layout)
}
