package stats

import "time"

// Shift returns t, in microseconds since 1970, moved by n periods at once: n times its months and days by the calendar and
// the clock of zone (UTC if nil), then n times its time. n may be negative. A day that the month does not have is the
// month's last: a month after January 31 is February 28, two are March 31. Of a time that the clock skips it is the moment
// of the change, of one that it shows twice the first. What would lie before the year 1 or behind 19999 is held there.
func (p Period) Shift(t int64, n int, zone *time.Location) int64 {
	return p.steps(t, &wall{zone: zone})(n)
}

// steps returns t moved by n periods for any n, as Shift does.
func (p Period) steps(t int64, clock *wall) func(n int) int64 {
	t = confine(t)
	shown := clock.shows(t)
	return func(n int) int64 {
		moved := t
		months, days := multiply(n, p.Months, 20_000*12), multiply(n, p.Days, 20_000*366)
		if months != 0 || days != 0 {
			moved = clock.first(shiftDate(shown, months, days))
		}
		return confine(moved + multiply(n, p.Time.Microseconds(), latest-earliest))
	}
}

// shiftDate moves a time on the clock by months and then days.
func shiftDate(shown int64, months, days int) int64 {
	date := floor(shown, dayLength)
	year, month, dayOfMonth := time.UnixMicro(date).UTC().Date()
	first := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return confine(first.AddDate(0, 0, min(dayOfMonth, last)-1+days).UnixMicro() + shown - date)
}

// The years 1 and 19999 in UTC begin and end here: no date of ours is beyond, and no sum of two overflows.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	latest   = time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

// confine holds t between earliest and latest.
func confine(t int64) int64 { return min(max(t, earliest), latest) }

// multiply returns n times length, held between -most and most.
func multiply[T int | int64](n int, length, most T) T {
	switch {
	case n == 0 || length == 0:
		return 0
	case n > 0 && T(n) > most/length:
		return most
	case n < 0 && T(n) < -most/length:
		return -most
	}
	return T(n) * length
}

// floor returns the greatest multiple of step that is not above n.
func floor(n, step int64) int64 {
	rest := n % step
	if rest < 0 {
		rest += step
	}
	return n - rest
}
