package main

import (
	"strconv"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// importClock reads the times of a file. Those of an export, in UTC with a T and a Z, are read without a detour;
// neighbours are of the same day mostly, so it remembers one.
type importClock struct {
	times *replayTimes
	date  [10]byte
	start int64 // of the day, in microseconds
	limit int64 // the latest time that is taken, as of the last look at the clock
}

// parse returns a time in microseconds since 1970, or what is wrong with it.
func (c *importClock) parse(text []byte) (micros int64, what string) {
	micros, ok := c.utc(text)
	if !ok {
		if micros, what = c.times.parse(string(text)); what != "" {
			return 0, what
		}
		c.times.last, c.times.begun = micros, true
	}
	if micros < 0 || micros > c.limit {
		now := time.Now().UnixMicro()
		if err := reading.CheckTime(micros, now); err != nil {
			return 0, fault.Of(err).Message + "; integers are taken in the unit of --precision"
		}
		c.limit = now
	}
	return micros, ""
}

// utc reads 2006-01-02T15:04:05Z with up to six digits of a fraction, and nothing else. Where the zone matters it leaves
// all to the slower way, which looks at the times before.
func (c *importClock) utc(text []byte) (micros int64, ok bool) {
	if len(text) < 20 || len(text) > 27 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[len(text)-1] != 'Z' || c.times.zone != time.UTC {
		return 0, false
	}
	if c.start == 0 || [10]byte(text[:10]) != c.date {
		day, err := time.Parse(time.DateOnly, string(text[:10]))
		if err != nil {
			return 0, false
		}
		c.date, c.start = [10]byte(text[:10]), day.UnixMicro()
	}
	hour, a := twoDigits(text[11:])
	minute, b := twoDigits(text[14:])
	second, d := twoDigits(text[17:])
	if !a || !b || !d || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros = c.start + int64(hour*3600+minute*60+second)*1_000_000
	if len(text) == 20 {
		return micros, true
	}
	if text[19] != '.' || len(text) == 21 {
		return 0, false
	}
	unit := int64(1_000_000)
	for _, digit := range text[20 : len(text)-1] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		unit /= 10
		micros += int64(digit-'0') * unit
	}
	return micros, true
}

func twoDigits(text []byte) (n int, ok bool) {
	a, b := text[0]-'0', text[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// importNumber returns a value as JSON writes it: as it stands when it is a plain decimal number, else what
// parseReplayValue makes of it.
func importNumber(text []byte) (number []byte, what string) {
	if isPlainNumber(text) {
		return text, ""
	}
	v, what := parseReplayValue(string(text))
	if what != "" {
		return nil, what
	}
	return strconv.AppendFloat(nil, v, 'g', -1, 64), ""
}

// isPlainNumber reports whether text is a number of JSON without an exponent, and too short to be out of range.
func isPlainNumber(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	n := countDigits(text)
	if n == 0 || n > 1 && text[0] == '0' || len(text) > 64 {
		return false
	}
	if n == len(text) {
		return true
	}
	return text[n] == '.' && n+1 < len(text) && countDigits(text[n+1:]) == len(text)-n-1
}

func countDigits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}
