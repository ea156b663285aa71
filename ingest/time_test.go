package ingest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimesOfRFC3339AreThoseOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	var d day
	rapid.Check(t, func(t *rapid.T) {
		two := func(most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }
		s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d%s%s", two(9999, "year"), two(13, "month"), two(32, "day"),
			two(24, "hour"), two(60, "minute"), two(60, "second"),
			rapid.StringMatching(`(\.[0-9]{1,9})?`).Draw(t, "fraction"),
			rapid.OneOf(rapid.Just("Z"), rapid.StringMatching(`[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]`)).Draw(t, "zone"))
		micros, ok := d.rfc3339([]byte(s))
		want, err := time.Parse(time.RFC3339Nano, s)
		if ok != (err == nil) || ok && micros != want.UnixMicro() {
			t.Fatalf("%s: %d, %t; want %d, %v", s, micros, ok, want.UnixMicro(), err)
		}
	})
}

func TestTimesAtTheEdgesOfTheCalendar(t *testing.T) {
	t.Parallel()
	var d day
	for _, s := range []string{
		"2026-11-21T23:59:59Z", "2026-12-31T00:00:00Z", "2024-02-29T12:00:00+23:59", "2000-02-29T00:00:00-23:59",
		"9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00.000001-00:00",
	} {
		want, err := time.Parse(time.RFC3339Nano, s)
		if micros, ok := d.rfc3339([]byte(s)); !ok || err != nil || micros != want.UnixMicro() {
			t.Errorf("%s: %d, %t; want %d, %v", s, micros, ok, want.UnixMicro(), err)
		}
	}
	for _, s := range []string{
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.5",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00+00", "2026-01-01T00:00:00ZZ",
		"2026-01-01t00:00:00Z", "2026-01-01T00:00:00z", "2026-01-01T0:00:00Z", "26-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
	} {
		if micros, ok := d.rfc3339([]byte(s)); ok {
			t.Errorf("%s is taken for %d", s, micros)
		}
	}
}

func FuzzRFC3339(f *testing.F) {
	for _, s := range []string{
		"2026-11-21T10:00:00Z", "2026-11-21T10:00:00.123456789+23:59", "2000-02-29T00:00:00-00:00", "1900-02-29T00:00:00Z",
		"2026-11-21t10:00:00z", "2026-11-21T10:00:00,5Z", "2026-11-21T1:00:00Z", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00+24:00",
		"2026-11-21T10:00:00.1234567890Z", "2026-11-21T10:00:00+0200", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00T00:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d day
		micros, ok := d.rfc3339([]byte(s))
		want, err := time.Parse(time.RFC3339Nano, s)
		if ok != (err == nil && referenceRFC3339.MatchString(s)) || ok && micros != want.UnixMicro() {
			t.Fatalf("%q: %d, %t; want %d, %v", s, micros, ok, want.UnixMicro(), err)
		}
	})
}

func TestEightDigitsAreRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9]{8}`).Draw(t, "digits")
		var want uint64
		if _, err := fmt.Sscan("1"+s, &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := eightDigits(word(s)); !ok || got != want-100_000_000 {
			t.Fatalf("%s: %d, %t", s, got, ok)
		}
		bad := []byte(s)
		bad[rapid.IntRange(0, 7).Draw(t, "place")] = rapid.ByteRange(0, '0'-1).Draw(t, "below")
		if _, ok := eightDigits(word(string(bad))); ok {
			t.Fatalf("%q was taken for digits", bad)
		}
		bad[rapid.IntRange(0, 7).Draw(t, "place")] = rapid.ByteRange('9'+1, 255).Draw(t, "above")
		if _, ok := eightDigits(word(string(bad))); ok {
			t.Fatalf("%q was taken for digits", bad)
		}
	})
}

func TestPrecisionsAreKnownByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Precision{"s": Seconds, "ms": Milliseconds, "us": Microseconds, "ns": Nanoseconds} {
		if p, ok := ParsePrecision(name); !ok || p != want {
			t.Errorf("%s: %v, %t", name, p, ok)
		}
	}
	for _, name := range []string{"", "S", "sec", "µs", "m"} {
		if _, ok := ParsePrecision(name); ok {
			t.Errorf("%q is taken", name)
		}
	}
}
