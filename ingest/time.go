package ingest

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Precision is the unit of times that are integers. The zero value is milliseconds.
type Precision uint8

// The units, with the names that ?precision= has for them.
const (
	Milliseconds Precision = iota // ms
	Seconds                       // s
	Microseconds                  // us
	Nanoseconds                   // ns, cut to microseconds
)

// ParsePrecision returns the precision with the given name, if there is one.
func ParsePrecision(name string) (Precision, bool) {
	switch name {
	case "s":
		return Seconds, true
	case "ms":
		return Milliseconds, true
	case "us":
		return Microseconds, true
	case "ns":
		return Nanoseconds, true
	}
	return 0, false
}

// micros returns n units as microseconds, or -1 when that is more than an int64 holds. n is not negative.
func (p Precision) micros(n int64) int64 {
	unit := int64(1)
	switch p {
	case Nanoseconds:
		return n / 1000
	case Milliseconds:
		unit = 1000
	case Seconds:
		unit = 1_000_000
	}
	if n > math.MaxInt64/unit {
		return -1
	}
	return n * unit
}

// integerTime reads the integer at b[p], a count of the given unit since 1970, and returns it in microseconds, and where
// it ends. Fractions, exponents, negative and overlong numbers are TimeInvalid.
func integerTime(b []byte, p int, unit Precision) (micros int64, next int, f *fault.Error) {
	first := p
	var n int64
	if len(b)-p >= 8 {
		if eight, ok := eightDigits(binary.LittleEndian.Uint64(b[p:])); ok {
			n = int64(eight)
			p += 8
		}
	}
	for p < len(b) && isDigit(b[p]) && p-first < 20 {
		n = n*10 + int64(b[p]-'0') // nineteen digits, which nanoseconds have today, may pass int64's end once: n < 0
		p++
	}
	if p == first || p-first > 19 || n < 0 || b[first] == '0' && p-first > 1 || p < len(b) && (b[p] == '.' || b[p]|0x20 == 'e') {
		if _, _, f := number(b, first); f == errMalformed {
			return 0, 0, f
		}
		return 0, 0, errTime
	}
	if micros = unit.micros(n); micros < 0 {
		return 0, 0, errTimeRange
	}
	return micros, p, nil
}

// eightDigits returns the number that eight digits make, the first in the lowest byte of w, if all are digits.
func eightDigits(w uint64) (n uint64, ok bool) {
	// A digit has 3 in its high nibble, and still has when 6 is added to it.
	const high, six = 0xf0f0_f0f0_f0f0_f0f0, 0x0606_0606_0606_0606
	if w&high|(w+six)&high>>4 != 0x3333_3333_3333_3333 {
		return 0, false
	}
	// Neighbours are joined: digits to pairs, pairs to fours, fours to one number.
	w &= 0x0f0f_0f0f_0f0f_0f0f
	w = (w*10 + w>>8) & 0x00ff_00ff_00ff_00ff
	w = (w*100 + w>>16) & 0x0000_ffff_0000_ffff
	return (w*10_000 + w>>32) & 0xffff_ffff, true
}

const (
	second = 1_000_000 // microseconds
	minute = 60 * second
	hour   = 60 * minute
)

// day remembers the last date that was read: readings of one request are mostly of one day.
type day struct {
	date  [10]byte
	start int64 // microseconds since 1970
}

// rfc3339 reads a time in the profile of RFC 3339 that Readout takes, and returns it in microseconds since 1970 UTC: a
// date of the Gregorian calendar, years 0000 to 9999; "T"; hours 00–23, minutes and seconds 00–59 (no leap seconds, no
// 24:00); at most 9 digits of fraction after a point, cut to microseconds; and a zone: "Z", or an offset up to ±23:59.
func (d *day) rfc3339(s []byte) (micros int64, ok bool) {
	if len(s) < len("2026-11-21T10:00:00Z") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	if string(s[:10]) != string(d.date[:]) && !d.set(s[:10]) {
		return 0, false
	}
	h, m, sec := pair(s[11:13]), pair(s[14:16]), pair(s[17:19])
	if h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	micros = d.start + int64(h)*hour + int64(m)*minute + int64(sec)*second
	s = s[19:]
	if s[0] == '.' {
		part, n := fraction(s[1:])
		if n == 0 || n+1 == len(s) {
			return 0, false
		}
		micros += part
		s = s[n+1:]
	}
	if len(s) == 1 && s[0] == 'Z' {
		return micros, true
	}
	offset, ok := zone(s)
	return micros - offset, ok
}

// set remembers the date s, whose punctuation is right, and reports whether there is such a day.
func (d *day) set(s []byte) bool {
	century, years, month, date := pair(s[0:2]), pair(s[2:4]), pair(s[5:7]), pair(s[8:10])
	if century > 99 || years > 99 || month < 1 || month > 12 || date < 1 || date > 31 {
		return false
	}
	t := time.Date(int(century*100+years), time.Month(month), int(date), 0, 0, 0, 0, time.UTC)
	if t.Day() != int(date) { // February 30 became March 1 or 2
		return false
	}
	copy(d.date[:], s)
	d.start = t.Unix() * second
	return true
}

// pair returns the number that two digits make, or more than 99 when they are none.
func pair(s []byte) uint {
	tens, ones := uint(s[0]-'0'), uint(s[1]-'0')
	if tens > 9 || ones > 9 {
		return 100
	}
	return tens*10 + ones
}

// fraction reads the digits of a fraction of a second, at most nine; n is how many, or 0 when there are none or more.
func fraction(s []byte) (micros int64, n int) {
	for n < len(s) && isDigit(s[n]) {
		if n < 6 {
			micros = micros*10 + int64(s[n]-'0')
		}
		n++
	}
	if n > 9 {
		return 0, 0
	}
	for i := n; i < 6; i++ {
		micros *= 10
	}
	return micros, n
}

// zone reads an offset such as +02:00 and returns it in microseconds.
func zone(s []byte) (offset int64, ok bool) {
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, m := pair(s[1:3]), pair(s[4:6])
	if h > 23 || m > 59 {
		return 0, false
	}
	offset = int64(h)*hour + int64(m)*minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}
