package stats

import (
	"iter"
	"time"
)

// moments yields where buckets begin, ascending but maybe some twice, from the last that is not behind from, without end.
func (w Window) moments(from int64) iter.Seq[int64] {
	clock := &wall{zone: w.Zone}
	if w.ticks() {
		return ticks(clock, from, w.Every.Time.Microseconds())
	}
	at, k := w.grid(clock, from)
	for at(k) > from {
		k--
	}
	for at(k+1) <= from {
		k++
	}
	return func(yield func(int64) bool) {
		for ; yield(at(k)); k++ {
		}
	}
}

// ticks reports whether buckets are cut where the clock changes: those of up to an hour that divide a day.
func (w Window) ticks() bool {
	return !w.FromRange && w.Every.dividesDay() && w.Every.Time <= time.Hour
}

// grid returns what bound k is, never falling when k rises, and about which k is the last that is not behind from.
func (w Window) grid(clock *wall, from int64) (at func(k int) int64, near int) {
	p := w.Every
	shown := time.UnixMicro(clock.shows(from)).UTC()
	switch {
	case w.FromRange:
		return p.steps(from, clock), 0
	case p.Days == 0 && p.Time == 0:
		month := func(k int) int64 {
			return clock.first(time.Date(0, time.Month(1+k*p.Months), 1, 0, 0, 0, 0, time.UTC).UnixMicro())
		}
		return month, (shown.Year()*12 + int(shown.Month()) - 1) / p.Months
	case p.Months == 0 && p.Time == 0:
		origin, length := w.firstDay(), int64(p.Days)*dayLength
		days := func(k int) int64 { return clock.first(origin + int64(k)*length) }
		return days, int((shown.UnixMicro() - origin) / length)
	case p.dividesDay():
		length := p.Time.Microseconds()
		return func(k int) int64 { return clock.first(int64(k) * length) }, int(shown.UnixMicro() / length)
	}
	origin := clock.first(century)
	return p.steps(origin, clock), int((from - origin) / p.mean())
}

// century is 2000-01-01T00:00 on the clock, where the count of days begins: a Saturday.
var century = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// firstDay returns the midnight on the clock from which days are counted.
func (w Window) firstDay() int64 {
	if w.Every.Days%7 != 0 {
		return century
	}
	return century + int64((w.WeekStart-Saturday+7)%7)*dayLength
}

// dividesDay reports whether p is nothing but a time of which a whole number makes a day of 24 hours.
func (p Period) dividesDay() bool {
	return p.Months == 0 && p.Days == 0 && p.Time > 0 && dayLength%p.Time.Microseconds() == 0
}

// ticks yields where buckets of length, which divides a day and is at most an hour, begin: the multiples of length on the
// clock, both times where it shows them twice, and where it is changed.
func ticks(clock *wall, from, length int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		s := clock.at(from)
		t := max(s.from, floor(from+s.offset, length)-s.offset)
		for yield(t) {
			if t = floor(t+s.offset, length) + length - s.offset; t >= s.to {
				s = clock.at(s.to)
				t = s.from
			}
		}
	}
}
