package pack

import "time"

// Lengths of time in µs.
const (
	hourLen = int64(3600) * 1_000_000
	dayLen  = 24 * hourLen
)

// When a day and a month count as over: late readings of well-run devices have come by then.
const (
	dayGrace   = time.Hour
	monthGrace = 24 * time.Hour
)

// floor returns t rounded down to a multiple of unit, also before 1970.
func floor(t, unit int64) int64 {
	down := t - t%unit
	if down > t {
		down -= unit
	}
	return down
}

// dateOf returns the UTC day that begins at start (µs).
func dateOf(start int64) time.Time { return time.UnixMicro(start).UTC() }

// firstOpenDay returns the first UTC day that is not closed at now.
func firstOpenDay(now time.Time) time.Time {
	return now.UTC().Add(-dayGrace).Truncate(24 * time.Hour)
}

// firstOpenMonth returns the beginning of the first UTC month that is not closed at now.
func firstOpenMonth(now time.Time) time.Time { return monthOf(now.UTC().Add(-monthGrace)) }

func monthOf(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }
