package stats

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oddZones change their clocks in every way that there is: by half an hour and by two, at midnight and over it, at 00:01, by
// a day, backwards in summer, four times a year, or never, with whole hours and without.
var oddZones = []string{
	"UTC", "Europe/Berlin", "Europe/Sofia", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/Havana",
	"America/Goose_Bay", "America/Caracas", "America/St_Johns", "America/Nuuk", "Asia/Kolkata", "Asia/Kathmandu",
	"Asia/Pyongyang", "Asia/Tehran", "Asia/Gaza", "Africa/Casablanca", "Africa/Cairo", "Pacific/Chatham", "Pacific/Apia",
	"Pacific/Kwajalein", "Pacific/Kiritimati", "Australia/Lord_Howe", "Antarctica/Troll", "Etc/GMT+12",
}

// oldZones had offsets with seconds, or days twice or never, before there were computers.
var oldZones = []string{
	"Europe/Amsterdam", "Europe/Lisbon", "Africa/Monrovia", "Asia/Manila", "Asia/Singapore", "America/Juneau", "America/Montevideo",
}

// anyTime draws a time of 1840 to 2199.
func anyTime() *rapid.Generator[int64] {
	year := func(y int) int64 { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() }
	return rapid.Int64Range(year(1840), year(2200)-1)
}

// anyZone draws one of oddZones.
func anyZone(t *rapid.T) *time.Location {
	zone, err := LoadZone(rapid.SampledFrom(oddZones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// anyMinute draws a whole minute of 1975 to 2099, mostly one less than reach before or behind a change of zone's clock. No clock
// was changed within a minute since 1972.
func anyMinute(t *rapid.T, zone *time.Location, reach time.Duration) time.Time {
	from, to := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC).Unix()/60, time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).Unix()/60
	at := time.Unix(rapid.Int64Range(from, to).Draw(t, "minute")*60, 0).In(zone)
	if _, change := at.ZoneBounds(); !change.IsZero() && rapid.IntRange(0, 9).Draw(t, "near a change") > 0 {
		minutes := int64(reach / time.Minute)
		at = change.Truncate(time.Minute).Add(time.Duration(rapid.Int64Range(-minutes, minutes).Draw(t, "minutes from it")) * time.Minute)
	}
	return at
}

// naiveIndex counts the buckets of w, which has none of mixed periods, on the calendar up to the one of at.
func naiveIndex(w Window, at time.Time) int64 {
	year, month, day := at.Date()
	days := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86_400
	switch p := w.Every; {
	case p.Months > 0:
		return int64(year*12+int(month)-1) / int64(p.Months)
	case p.Days > 0:
		origin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		for p.Days%7 == 0 && WeekdayOf(origin.Weekday()) != w.WeekStart {
			origin = origin.AddDate(0, 0, 1)
		}
		return int64(math.Floor(float64(days-origin.Unix()/86_400) / float64(p.Days)))
	default:
		return (days*1440 + int64(at.Hour()*60+at.Minute())) / int64(p.Time/time.Minute)
	}
}

// naiveBounds walks from minute to minute. Buckets of up to an hour begin whenever their index or the offset is another;
// others, and the days and months of them, only when the index is one that was not seen yet.
func naiveBounds(w Window, from, to time.Time) []int64 {
	short := w.Every.Months == 0 && w.Every.Days == 0 && w.Every.Time <= time.Hour
	at := from.Add(-time.Duration(w.Every.longest())*time.Microsecond - 72*time.Hour)
	index := naiveIndex(w, at)
	_, offset := at.Zone()
	var bounds []int64
	for {
		at = at.Add(time.Minute)
		i := naiveIndex(w, at)
		_, o := at.Zone()
		if i > index || short && (i != index || o != offset) {
			if !at.After(from) {
				bounds = bounds[:0]
			}
			bounds = append(bounds, at.UnixMicro())
			index = i
			if !at.Before(to) {
				return bounds
			}
		}
		offset = o
	}
}

func TestCalendarBucketsAreThoseOfAWalkFromMinuteToMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := anyZone(t)
		every, err := ParsePeriod(rapid.SampledFrom([]string{
			"PT1M", "PT5M", "PT15M", "PT30M", "PT45M", "PT1H", "PT90M", "PT2H", "PT6H", "PT12H", "PT24H",
			"P1D", "P2D", "P1W", "P2W", "P1M", "P3M",
		}).Draw(t, "every"))
		if err != nil {
			t.Fatal(err)
		}
		w := Window{Every: every, Zone: zone, WeekStart: Weekday(rapid.IntRange(0, 6).Draw(t, "week start"))}
		from := anyMinute(t, zone, 48*time.Hour)
		minutes := min(20_000, 5*every.mean()/60_000_000)
		to := from.Add(time.Duration(rapid.Int64Range(1, minutes).Draw(t, "minutes")) * time.Minute)
		got, err := w.Bounds(from.UnixMicro(), to.UnixMicro())
		if want := naiveBounds(w, from, to); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s from %v to %v: %v\ngot  %v\nwant %v", every, from, to, err, times(got, zone), times(want, zone))
		}
	})
}

func times(bounds []int64, zone *time.Location) []string {
	var s []string
	for _, b := range bounds {
		s = append(s, time.UnixMicro(b).In(zone).Format(time.RFC3339Nano))
	}
	return s
}

// naiveShift walks from day to day and then, minute by minute, to the first at which the clock shows at's time or a later one.
func naiveShift(at time.Time, p Period, n int) time.Time {
	year, month, day := at.Date()
	for range n * p.Months {
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	for time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Month() != month {
		day--
	}
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	for range n * p.Days {
		date = date.Add(24 * time.Hour)
	}
	if shown := func(t time.Time) string { return t.Format("2006-01-02T15:04") }; n > 0 && (p.Months > 0 || p.Days > 0) {
		want := shown(date.Add(time.Duration(at.Hour()*60+at.Minute()) * time.Minute))
		for at = date.Add(-48 * time.Hour).In(at.Location()); shown(at) < want; {
			at = at.Add(time.Minute)
		}
	}
	return at.Add(time.Duration(n) * p.Time)
}

func TestBucketsFromTheRangeAreThoseOfAWalkFromMinuteToMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := anyZone(t)
		every, err := ParsePeriod(rapid.SampledFrom([]string{
			"PT15M", "PT7H", "P1D", "P1DT1H", "P3D", "P1W", "P1M", "P1M1D", "P5M", "P1Y",
		}).Draw(t, "every"))
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 7).Draw(t, "buckets")
		near := time.Duration(int64(n)*every.mean())*time.Microsecond + 48*time.Hour
		from := anyMinute(t, zone, near)
		to := naiveShift(from, every, n)
		var want []int64
		for k := range n + 1 {
			if b := naiveShift(from, every, k).UnixMicro(); k == 0 || b > want[len(want)-1] {
				want = append(want, b)
			}
		}
		got, err := Window{Every: every, Zone: zone, FromRange: true}.Bounds(from.UnixMicro(), to.UnixMicro())
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s from %v to %v: %v\ngot  %v\nwant %v", every, from, to, err, times(got, zone), times(want, zone))
		}
	})
}

// anyPeriod draws a period of any kind, short ones as often as long ones.
func anyPeriod() *rapid.Generator[Period] {
	return rapid.Custom(func(t *rapid.T) Period {
		p := Period{Time: time.Millisecond}
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			p = Period{Months: rapid.IntRange(1, 30).Draw(t, "months")}
		case 1:
			p = Period{Days: rapid.IntRange(1, 40).Draw(t, "days")}
		case 2:
			p.Time = time.Millisecond << rapid.IntRange(0, 30).Draw(t, "time")
		case 3:
			p.Time = 24 * time.Hour / time.Duration(rapid.SampledFrom([]int{1, 2, 3, 24, 32, 86_400, 86_400_000}).Draw(t, "parts of a day"))
		case 4:
			hours := rapid.IntRange(1, 100).Draw(t, "hours")
			p = Period{rapid.IntRange(0, 2).Draw(t, "months"), rapid.IntRange(0, 20).Draw(t, "days"), time.Duration(hours) * time.Hour}
		}
		return p
	})
}

func TestBoundsRiseAndCoverTheRangeAndLabelsDiffer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := LoadZone(rapid.SampledFrom(append(oldZones, oddZones...)).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		weekStart := Weekday(rapid.IntRange(0, 6).Draw(t, "week start"))
		w := Window{anyPeriod().Draw(t, "every"), zone, rapid.Bool().Draw(t, "from range"), weekStart}
		from := anyTime().Draw(t, "from")
		if _, change := time.UnixMicro(from).In(zone).ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "to a change") {
			from = change.UnixMicro() - rapid.Int64Range(0, 30*dayLength).Draw(t, "before it")
		}
		to := from + rapid.Int64Range(1, 500*w.Every.mean()).Draw(t, "length")
		bounds, err := w.Bounds(from, to)
		if err != nil {
			t.Fatal(err)
		}
		n := len(bounds)
		if n < 2 || bounds[0] > from || bounds[1] <= from || bounds[n-2] >= to || bounds[n-1] < to || w.FromRange && bounds[0] != from {
			t.Fatalf("%d to %d is not covered by %v", from, to, bounds)
		}
		labels := make(map[string]int64)
		for i, start := range bounds[:n-1] {
			if bounds[i+1] <= start {
				t.Fatalf("bound %d does not rise: %v", i+1, times(bounds[i:i+2], zone))
			}
			label := w.Label(start)
			if before, taken := labels[label]; taken && label != "" {
				t.Fatalf("%v have both the label %q", times([]int64{before, start}, zone), label)
			}
			labels[label] = start
		}
	})
}
