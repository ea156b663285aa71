package stats

import (
	"testing"
	"time"
)

func TestCompletenessIsTheShareOfExpectedReadings(t *testing.T) {
	t.Parallel()
	f := func(count, series int, every string, from, to string, zone string, want float64) {
		t.Helper()
		period, err := ParsePeriod(every)
		if err != nil {
			t.Fatal(err)
		}
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(s string) int64 {
			moment, err := time.ParseInLocation("2006-01-02T15:04", s, location)
			if err != nil {
				t.Fatal(err)
			}
			return moment.UnixMicro()
		}
		b := &Bucket{Series: series, From: at(from), To: at(to), Summary: Summary{Count: count}}
		wants(t, b, every+" from "+from+" to "+to, Completeness(period, location), want)
	}
	f(60, 1, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 1)
	f(45, 1, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 0.75)
	f(90, 2, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 0.75)
	f(90, 1, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 1)
	f(0, 1, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 0)
	f(1, 1, "PT40M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", 1) // a second one need not be there
	f(1, 1, "PT2H", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", nothing)
	f(0, 0, "PT1M", "2026-01-01T00:00", "2026-01-01T01:00", "UTC", nothing)
	f(0, 1, "PT1M", "2026-01-01T00:00", "2026-01-01T00:00", "UTC", nothing)
	f(1, 1, "PT1M", "2026-01-01T01:00", "2026-01-01T00:00", "UTC", nothing)
	f(6, 1, "P1M", "2026-01-01T00:00", "2027-01-01T00:00", "UTC", 0.5)
	f(10, 1, "P1M", "2026-01-31T00:00", "2026-12-30T00:00", "UTC", 1)
	f(1, 1, "P1M", "2026-07-01T00:00", "2026-08-31T00:00", "UTC", 1) // longer than two months of average length
	f(1, 1, "P1Y", "2026-01-01T00:00", "2028-06-01T00:00", "UTC", 0.5)
	// The days that Berlin's clock changes have 23 and 25 hours; it is one day all the same.
	f(23, 1, "PT1H", "2018-03-25T00:00", "2018-03-26T00:00", "Europe/Berlin", 1)
	f(24, 1, "PT1H", "2018-10-28T00:00", "2018-10-29T00:00", "Europe/Berlin", 0.96)
	f(1, 1, "P1D", "2018-03-25T00:00", "2018-03-26T00:00", "Europe/Berlin", 1)
	f(1, 1, "P1D", "2018-10-28T00:00", "2018-10-29T00:00", "Europe/Berlin", 1)
	f(365, 1, "P1D", "2018-01-01T00:00", "2019-01-01T00:00", "Europe/Berlin", 1)
	f(1, 1, "P2DT12H", "2018-01-01T00:00", "2018-01-06T00:00", "UTC", 0.5)
}

func TestCompletenessOfNoPeriodIsNothing(t *testing.T) {
	t.Parallel()
	b := &Bucket{Series: 1, To: day, Summary: Summary{Count: 5}}
	wants(t, b, "completeness", Completeness(Period{}, nil), nothing)
	wants(t, b, "completeness", Completeness(Period{Time: 1}, nil), nothing)
	wants(t, nil, "completeness", Completeness(Period{Time: time.Hour}, nil), nothing)
	wants(t, b, "completeness", Completeness(Period{Time: time.Hour}, nil), 5.0/24)
}
