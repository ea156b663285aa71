package stats

import (
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Weekday is a day of the week in the order of ISO 8601, which begins with Monday: the zero value.
type Weekday int

// The days of the week.
const (
	Monday Weekday = iota
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday
)

// WeekdayOf returns the day of the week that package time calls d.
func WeekdayOf(d time.Weekday) Weekday { return Weekday((d + 6) % 7) }

// ParseWeekday reads the English name of a day in small letters or in capitals; fault Invalid otherwise.
func ParseWeekday(s string) (Weekday, error) {
	for d := Monday; d <= Sunday; d++ {
		if name := d.String(); s == name || s == strings.ToLower(name) {
			return d, nil
		}
	}
	return 0, fault.New(fault.Invalid, "a day of the week is monday, tuesday, wednesday, thursday, friday, saturday or sunday")
}

// String returns the English name in capitals, "" for what is no day of the week.
func (d Weekday) String() string {
	if d < Monday || d > Sunday {
		return ""
	}
	return strings.ToUpper(time.Weekday((d + 1) % 7).String())
}
