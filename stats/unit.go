package stats

import (
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Unit is a unit of the calendar, written in capitals.
type Unit string

// The units of the calendar.
const (
	Minute  Unit = "MINUTE"
	Hour    Unit = "HOUR"
	Day     Unit = "DAY"
	Week    Unit = "WEEK"
	Month   Unit = "MONTH"
	Quarter Unit = "QUARTER"
	Year    Unit = "YEAR"
)

// ParseUnit reads a unit's name in small letters or in capitals; fault Invalid otherwise.
func ParseUnit(s string) (Unit, error) {
	unit := Unit(strings.ToUpper(s))
	if unit.Period().IsZero() || s != string(unit) && s != strings.ToLower(s) {
		return "", fault.New(fault.Invalid, "a unit of the calendar is minute, hour, day, week, month, quarter or year")
	}
	return unit, nil
}

// Period returns one unit as a period, none for what is no unit.
func (u Unit) Period() Period {
	switch u {
	case Minute:
		return Period{Time: time.Minute}
	case Hour:
		return Period{Time: time.Hour}
	case Day:
		return Period{Days: 1}
	case Week:
		return Period{Days: 7}
	case Month:
		return Period{Months: 1}
	case Quarter:
		return Period{Months: 3}
	case Year:
		return Period{Months: 12}
	}
	return Period{}
}
