package stats

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestShiftKeepsToTheCalendarAndTheClock(t *testing.T) {
	t.Parallel()
	f := func(from, every string, n int, zone, want string) {
		t.Helper()
		location := zoneOf(t, zone)
		got := periodOf(t, every).Shift(momentOf(t, from), n, location)
		if got != momentOf(t, want) {
			t.Errorf("%d × %s from %s in %s: %v, want %s", n, every, from, zone, time.UnixMicro(got).In(location), want)
		}
	}
	f("2018-01-31T10:00Z", "P1M", 1, "UTC", "2018-02-28T10:00Z")
	f("2018-01-31T10:00Z", "P1M", 2, "UTC", "2018-03-31T10:00Z")
	f("2018-03-31T10:00Z", "P1M", -1, "UTC", "2018-02-28T10:00Z")
	f("2020-01-31T10:00Z", "P1M", 1, "UTC", "2020-02-29T10:00Z")
	f("2020-02-29T10:00Z", "P1Y", 1, "UTC", "2021-02-28T10:00Z")
	f("2020-02-29T10:00Z", "P1Y", 4, "UTC", "2024-02-29T10:00Z")
	f("2020-02-29T10:00Z", "P1Y", -120, "UTC", "1900-02-28T10:00Z")
	f("2018-12-31T23:59:59.999999Z", "P1D", 1, "UTC", "2019-01-01T23:59:59.999999Z")
	f("2018-12-31T23:59:59.999999Z", "P1M", 2, "UTC", "2019-02-28T23:59:59.999999Z")
	f("2018-01-31T10:00Z", "P1M1D", 1, "UTC", "2018-03-01T10:00Z")
	f("2018-01-31T10:00Z", "P1M1DT1H", 2, "UTC", "2018-04-02T12:00Z")
	f("2018-01-01T00:30+01:00", "P1M", 1, "Europe/Berlin", "2018-02-01T00:30+01:00") // still December in UTC
	f("2018-03-24T12:00+01:00", "P1D", 1, "Europe/Berlin", "2018-03-25T12:00+02:00")
	f("2018-03-24T12:00+01:00", "PT24H", 1, "Europe/Berlin", "2018-03-25T13:00+02:00")
	f("2018-03-24T02:30+01:00", "P1D", 1, "Europe/Berlin", "2018-03-25T03:00+02:00") // the clock skips 02:30
	f("2018-03-24T02:30+01:00", "P1DT1H", 1, "Europe/Berlin", "2018-03-25T04:00+02:00")
	f("2018-10-27T02:30+02:00", "P1D", 1, "Europe/Berlin", "2018-10-28T02:30+02:00") // the clock shows it twice
	f("2018-10-29T02:30+01:00", "P1D", -1, "Europe/Berlin", "2018-10-28T02:30+02:00")
	f("2018-10-28T02:30+01:00", "P1D", 0, "Europe/Berlin", "2018-10-28T02:30+01:00")
	f("2018-10-28T02:30+01:00", "P1W", 1, "Europe/Berlin", "2018-11-04T02:30+01:00")
	f("2011-12-29T12:00-10:00", "P1D", 1, "Pacific/Apia", "2011-12-31T00:00+14:00") // there was no December 30
	f("2011-12-29T12:00-10:00", "P1D", 2, "Pacific/Apia", "2011-12-31T12:00+14:00")
	f("2011-12-31T00:00+14:00", "P1D", -1, "Pacific/Apia", "2011-12-31T00:00+14:00")
	f("2018-06-01T00:00Z", "PT1S", -86_400, "UTC", "2018-05-31T00:00Z")
}

func TestShiftOfNoZoneIsUTC(t *testing.T) {
	t.Parallel()
	from := momentOf(t, "2018-01-31T10:00Z")
	if got := Month.Period().Shift(from, 1, nil); got != momentOf(t, "2018-02-28T10:00Z") {
		t.Errorf("got %v", time.UnixMicro(got).UTC())
	}
}

func TestShiftHoldsAtTheYears1And19999(t *testing.T) {
	t.Parallel()
	f := func(n int, want int64) {
		t.Helper()
		if got := Year.Period().Shift(momentOf(t, "2018-01-31T10:00Z"), n, nil); got != want {
			t.Errorf("%d years: %v", n, time.UnixMicro(got).UTC())
		}
	}
	f(17_981, time.Date(19_999, 1, 31, 10, 0, 0, 0, time.UTC).UnixMicro())
	f(17_982, time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	f(1_000_000, time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	f(-2017, time.Date(1, 1, 31, 10, 0, 0, 0, time.UTC).UnixMicro())
	f(-2018, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
}

func TestShiftNeverOverflows(t *testing.T) {
	t.Parallel()
	f := func(at int64, n int, want int64) {
		t.Helper()
		for _, p := range []Period{
			{Months: 1}, {Months: 1200}, {Days: 36524}, {Time: time.Millisecond}, {Time: 1 << 61}, {1200, 36524, math.MaxInt64},
		} {
			if got := p.Shift(at, n, nil); got != want {
				t.Errorf("%d × %s from %d: %d, want %d", n, p, at, got, want)
			}
		}
	}
	for _, at := range []int64{math.MinInt64, 0, math.MaxInt64} {
		f(at, math.MaxInt, latest)
		f(at, math.MinInt, earliest)
		f(at, 1<<50, latest)
		f(at, -1<<50, earliest)
	}
	if got := (Period{Time: 1 << 61}).Shift(0, -8001, nil); got != earliest { // 2^64 µs and a few days
		t.Errorf("got %d", got)
	}
	f(math.MaxInt64, 0, latest)
	f(math.MaxInt64, 1, latest)
	f(math.MinInt64, 0, earliest)
	f(math.MinInt64, -1, earliest)
}

func TestShiftByMorePeriodsIsNeverEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, p := anyZone(t), anyPeriod().Draw(t, "period")
		from := anyMinute(t, zone, 48*time.Hour).UnixMicro()
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		if a, b := p.Shift(from, n, zone), p.Shift(from, n+1, zone); a > b || p.Days+p.Months == 0 && a == b {
			t.Fatalf("%d × %s is %d, one more is %d", n, p, a, b)
		}
	})
}
