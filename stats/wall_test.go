package stats

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestClockOfUTCNeverChanges(t *testing.T) {
	t.Parallel()
	for _, zone := range []*time.Location{nil, time.UTC, time.FixedZone("", 0)} {
		if got := (&wall{zone: zone}).at(0); got != (span{math.MinInt64, math.MaxInt64, 0}) {
			t.Errorf("%v: %v", zone, got)
		}
	}
}

// Package time ends what it calls the bounds of an offset with each year, on December 30 in leap years, and where only the
// name changes.
func TestSpanEndsOnlyWhereTheClockChanges(t *testing.T) {
	t.Parallel()
	f := func(zone, at, from, to string) {
		t.Helper()
		got := spanAt(momentOf(t, at), zoneOf(t, zone))
		if got.from != momentOf(t, from) || got.to != momentOf(t, to) {
			t.Errorf("%s at %s: from %v to %v", zone, at, time.UnixMicro(got.from).UTC(), time.UnixMicro(got.to).UTC())
		}
	}
	for _, at := range []string{
		"2040-10-28T01:00Z", "2040-12-30T23:59Z", "2040-12-31T00:00Z", "2040-12-31T23:59Z", "2041-01-01T00:00Z", "2041-03-31T00:59Z",
	} {
		f("Europe/Berlin", at, "2040-10-28T01:00Z", "2041-03-31T01:00Z")
	}
	f("Europe/Berlin", "2041-03-31T01:00Z", "2041-03-31T01:00Z", "2041-10-27T01:00Z")
	f("Europe/Dublin", "2040-12-31T12:00Z", "2040-10-28T01:00Z", "2041-03-31T01:00Z")
	f("America/New_York", "1942-12-31T12:00Z", "1942-02-09T07:00Z", "1945-09-30T06:00Z") // war time became peace time
	f("Australia/Lord_Howe", "2040-12-31T12:00Z", "2040-10-06T15:30Z", "2041-04-06T15:00Z")
}

// What a span says holds in it and no longer, for any zone and time: also where a zone's last rule begins, and old ones.
func TestSpanHoldsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append(oldZones, oddZones...)).Draw(t, "zone")
		zone, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		offset := func(at int64) int64 {
			_, seconds := time.UnixMicro(at).In(zone).Zone()
			return int64(seconds) * 1_000_000
		}
		at := anyTime().Draw(t, "at")
		s := spanAt(at, zone)
		if at < s.from || at >= s.to || s.offset != offset(at) {
			t.Fatalf("%v is not of %v", at, s)
		}
		if s.from != math.MinInt64 && (offset(s.from-1) == s.offset || offset(s.from) != s.offset) {
			t.Fatalf("the clock does not change at the beginning of %v", s)
		}
		if s.to != math.MaxInt64 && (offset(s.to-1) != s.offset || offset(s.to) == s.offset) {
			t.Fatalf("the clock does not change at the end of %v", s)
		}
		from, to := max(s.from, at-400*dayLength), min(s.to, at+400*dayLength)
		if other := rapid.Int64Range(from, to-1).Draw(t, "in it"); offset(other) != s.offset || spanAt(other, zone) != s {
			t.Fatalf("%v is not of %v", other, s)
		}
	})
}

func TestClockFindsTheFirstMomentThatShowsATime(t *testing.T) {
	t.Parallel()
	f := func(zone, shown, want string) {
		t.Helper()
		clock := &wall{zone: zoneOf(t, zone)}
		if got := clock.first(momentOf(t, shown+"Z")); got != momentOf(t, want) {
			t.Errorf("%s in %s: %v", shown, zone, time.UnixMicro(got).In(clock.zone))
		}
	}
	f("UTC", "2018-03-25T02:30", "2018-03-25T02:30Z")
	f("Europe/Berlin", "2018-03-25T01:59", "2018-03-25T01:59+01:00")
	f("Europe/Berlin", "2018-03-25T02:30", "2018-03-25T03:00+02:00")
	f("Europe/Berlin", "2018-10-28T02:00", "2018-10-28T02:00+02:00")
	f("Europe/Berlin", "2018-10-28T02:59", "2018-10-28T02:59+02:00")
	f("Europe/Berlin", "2018-10-28T03:00", "2018-10-28T03:00+01:00")
	f("Pacific/Apia", "2011-12-30T12:00", "2011-12-31T00:00+14:00")
	f("America/Sao_Paulo", "2018-02-18T00:00", "2018-02-18T00:00-03:00")
	f("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T01:00-02:00")
	f("Asia/Manila", "1844-12-31T12:00", "1844-12-31T15:56:08Z") // skipped; the first of January began 8:03:52 h before Greenwich's
}

// zoneFile makes a zone as RFC 9636 has it in files: UTC until the last of changes, in seconds since 1970, and then an hour ahead
// of it by a rule with summer time.
func zoneFile(t *testing.T, changes ...int64) *time.Location {
	t.Helper()
	header := func(counts ...uint32) []byte {
		b := append([]byte("TZif2"), make([]byte, 15)...)
		for _, n := range counts {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	none := "\x00\x00\x00\x00\x00\x00UTC\x00"
	data := append(header(0, 0, 0, 0, 1, 4), none...)
	data = append(data, header(0, 0, 0, uint32(len(changes)), 2, 8)...)
	for _, at := range changes {
		data = binary.BigEndian.AppendUint64(data, uint64(at))
	}
	data = append(append(data, make([]byte, len(changes)-1)...), 1)
	data = append(data, "\x00\x00\x00\x00\x00\x00\x00\x00\x0e\x10\x00\x04UTC\x00CET\x00\nCET-1CEST,M3.5.0,M10.5.0/3\n"...)
	zone, err := time.LoadLocationFromTZData("", data)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Of a rule that begins within a year, package time tells that it held since the year's beginning; and some files say of the
// first offset that it began before the universe did, which is beyond microseconds.
func TestSpanBeginsNotBeforeTheRuleOfItsZone(t *testing.T) {
	t.Parallel()
	from := momentOf(t, "2020-02-01T00:00Z")
	for _, zone := range []*time.Location{zoneFile(t, from/1_000_000), zoneFile(t, -1<<59, from/1_000_000)} {
		want := span{from, momentOf(t, "2020-03-29T01:00Z"), 3600 * 1_000_000}
		if got := spanAt(momentOf(t, "2020-02-15T00:00Z"), zone); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := spanAt(momentOf(t, "2020-01-15T00:00Z"), zone); got != (span{math.MinInt64, from, 0}) {
			t.Errorf("before: %v", got)
		}
	}
}
