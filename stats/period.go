package stats

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Period is a duration of ISO 8601: so many calendar months, calendar days and an absolute time, added in this order. The
// parts are not negative, and one that ParsePeriod gives lasts from a millisecond to 100 years. Periods are comparable; the
// zero Period is none.
type Period struct {
	Months int           // calendar months; a year has 12
	Days   int           // calendar days, of 23 or 25 hours where the clock changes; a week has 7
	Time   time.Duration // absolute, a whole number of microseconds
}

// Lengths in microseconds, as times are.
const (
	hourLength = int64(time.Hour / time.Microsecond)
	dayLength  = 24 * hourLength
	// meanMonth is the average month of the Gregorian calendar: 400 years have 146,097 days.
	meanMonth = 146_097 * dayLength / 4_800
	// shortestPeriod and longestPeriod bound windows, steps and shifts: a millisecond, 100 years.
	shortestPeriod = int64(time.Millisecond / time.Microsecond)
	longestPeriod  = 1_200 * meanMonth
)

// periodForm is a duration with designators, ISO 8601-1:2019 section 5.5.2.2, except that weeks may stand beside other parts;
// periodParts says what one of each number is.
var (
	periodForm = regexp.MustCompile(`^P(?:(\d{1,10})Y)?(?:(\d{1,10})M)?(?:(\d{1,10})W)?(?:(\d{1,10})D)?` +
		`(?:T(?:(\d{1,10})H)?(?:(\d{1,10})M)?(?:(\d{1,10})(?:\.(\d{1,6}))?S)?)?$`)
	periodParts = []Period{
		{Months: 12},
		{Months: 1},
		{Days: 7},
		{Days: 1},
		{Time: time.Hour},
		{Time: time.Minute},
		{Time: time.Second},
		{Time: time.Microsecond},
	}
)

var (
	errPeriodForm  error = fault.New(fault.Invalid, "a period is an ISO 8601 duration such as PT15M, PT1H, P1D, P1W, P1M or P1Y")
	errPeriodRange error = fault.New(fault.Invalid, "a period lasts at least a millisecond and at most 100 years")
)

// ParsePeriod reads a duration of ISO 8601 with designators, in capitals: "PT15M", "P1W", "P1Y6M", "PT0.5S". Only seconds
// may have a fraction, of at most six digits behind a point. What is not of this form, has a sign, is shorter than a
// millisecond or longer than 100 years is refused with fault Invalid.
func ParsePeriod(s string) (Period, error) {
	numbers := periodForm.FindStringSubmatch(s)
	if numbers == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return Period{}, errPeriodForm
	}
	numbers = numbers[1:]
	fraction := &numbers[len(numbers)-1]
	*fraction = (*fraction + "000000")[:6] // in microseconds
	var p Period
	for i, part := range periodParts {
		n, _ := strconv.ParseInt(numbers[i], 10, 64) // digits, or none at all
		if n > longestPeriod/part.mean() {
			return Period{}, errPeriodRange
		}
		p.Months += int(n) * part.Months
		p.Days += int(n) * part.Days
		p.Time += time.Duration(n) * part.Time
		if p.mean() > longestPeriod { // now, since seven times 100 years are beyond a time.Duration
			return Period{}, errPeriodRange
		}
	}
	if p.mean() < shortestPeriod {
		return Period{}, errPeriodRange
	}
	return p, nil
}

// String writes p as ParsePeriod reads it, in the shortest form: "P1Y6M", "P1W", "P10D", "PT36H", "PT0.5S". The zero Period is
// "PT0S".
func (p Period) String() string {
	if p.IsZero() {
		return "PT0S"
	}
	b := []byte{'P'}
	part := func(n int64, letter byte) {
		if n != 0 {
			b = append(strconv.AppendInt(b, n, 10), letter)
		}
	}
	part(int64(p.Months/12), 'Y')
	part(int64(p.Months%12), 'M')
	if p.Days%7 == 0 && p.Months == 0 && p.Time == 0 {
		part(int64(p.Days/7), 'W')
	} else {
		part(int64(p.Days), 'D')
	}
	if p.Time == 0 {
		return string(b)
	}
	b = append(b, 'T')
	part(int64(p.Time/time.Hour), 'H')
	part(int64(p.Time%time.Hour/time.Minute), 'M')
	seconds, fraction := p.Time%time.Minute/time.Second, p.Time%time.Second/time.Microsecond
	if fraction == 0 {
		part(int64(seconds), 'S')
		return string(b)
	}
	return string(b) + strings.TrimRight(fmt.Sprintf("%d.%06d", seconds, fraction), "0") + "S"
}

// IsZero reports whether p is no period.
func (p Period) IsZero() bool { return p == Period{} }

// mean is about how long p lasts, in microseconds: exactly, but for its months, which are of average length.
func (p Period) mean() int64 {
	return int64(p.Months)*meanMonth + int64(p.Days)*dayLength + p.Time.Microseconds()
}

// longest is what p lasts at most, in microseconds, were all days of 24 hours.
func (p Period) longest() int64 { return p.mean() + int64(p.Months)*(31*dayLength-meanMonth) }

// shortest is what p, which is not zero, lasts at least.
func (p Period) shortest() int64 { return p.mean() - int64(p.Months)*(meanMonth-28*dayLength) }

// check refuses what ParsePeriod would not give.
func (p Period) check() error {
	if p.Months < 0 || p.Days < 0 || p.Time < 0 || p.Time%time.Microsecond != 0 ||
		p.Months > 1_200 || p.Days > int(longestPeriod/dayLength) || p.mean() < shortestPeriod || p.mean() > longestPeriod {
		return errPeriodRange
	}
	return nil
}
