package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// replayTimes reads the times of a file.
type replayTimes struct {
	zone *time.Location
	unit string // s, ms, us or ns; "" is ms outside 1970

	last  int64 // the time before, in microseconds
	begun bool
	twice int // times that the zone has twice
}

func newReplayTimes(zone, unit string) (*replayTimes, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		return nil, fault.New(fault.Invalid, "--zone: %s is not a zone; give a name such as UTC or Europe/Sofia", quoted(zone))
	}
	return &replayTimes{zone: loc, unit: unit}, nil
}

// parse returns a time in microseconds since 1970-01-01 UTC, or what is wrong with it. It takes RFC 3339, the same with a
// space in place of T, both without a zone, and integers; what is finer than a microsecond is cut off.
func (t *replayTimes) parse(text string) (micros int64, what string) {
	micros, what = t.any(text)
	if what == "" {
		t.last, t.begun = micros, true
	}
	return micros, what
}

func (t *replayTimes) any(text string) (micros int64, what string) {
	if isInteger(text) {
		return t.integer(text)
	}
	const date, clock = "2006-01-02", "15:04:05"
	if len(text) > len(date) && (text[len(date)] == 'T' || text[len(date)] == ' ') {
		layout := date + text[len(date):len(date)+1] + clock
		rest := text[len(date)+1:]
		if strings.ContainsAny(rest, "Z+-") {
			at, err := time.Parse(layout+"Z07:00", text)
			if err == nil {
				return at.UnixMicro(), ""
			}
		} else if wall, err := time.Parse(layout, text); err == nil {
			return t.local(text, wall)
		}
	}
	return 0, fmt.Sprintf("the time %s is neither like 2026-11-21T10:00:00Z, with or without a zone, nor an integer", quoted(text))
}

func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

func (t *replayTimes) integer(text string) (micros int64, what string) {
	n, err := strconv.ParseInt(text, 10, 64)
	unit := int64(1)
	switch t.unit {
	case "s":
		unit = 1_000_000
	case "ms":
		unit = 1000
	case "":
		unit = 1000
		if err == nil && n >= 0 && n < millisIn1970 {
			return 0, fmt.Sprintf("the time %s is of 1970 in milliseconds: set --precision s if the file counts seconds, or --precision ms if not", quoted(text))
		}
	case "ns":
		n = time.Unix(0, n).UnixMicro()
	}
	if micros = n * unit; err != nil || micros/unit != n {
		return 0, fmt.Sprintf("the time %s is too large; integers are taken in the unit of --precision", quoted(text))
	}
	return micros, ""
}

const millisIn1970 = 365 * 24 * 60 * 60 * 1000

// local returns the time when the zone's clocks show wall, whose own zone is UTC. A wall time that the clocks skip is
// refused: no logger can have seen it, so the zone is wrong. One that they show twice is the one nearer to the time
// before, the later when both are as near, and the earlier at the start of a file.
func (t *replayTimes) local(text string, wall time.Time) (micros int64, what string) {
	if t.zone == time.UTC {
		return wall.UnixMicro(), ""
	}
	// Zones do not change twice in two days, so the clocks show wall by the offset of a day before or of a day after.
	earlier, one := t.shown(wall, wall.Add(-24*time.Hour))
	later, other := t.shown(wall, wall.Add(24*time.Hour))
	switch {
	case !one && !other:
		return 0, fmt.Sprintf("the time %s does not exist in %s, where clocks were put forward over it: is --zone right?", quoted(text), t.zone)
	case !one:
		return later, ""
	case !other || earlier == later:
		return earlier, ""
	}
	t.twice++
	if earlier, later = min(earlier, later), max(earlier, later); t.begun && t.last-earlier >= later-t.last {
		return later, ""
	}
	return earlier, ""
}

// shown returns when clocks show wall by the offset that they have about then, and whether they do.
func (t *replayTimes) shown(wall, about time.Time) (micros int64, ok bool) {
	_, offset := about.In(t.zone).Zone()
	at := wall.Add(-time.Duration(offset) * time.Second)
	_, is := at.In(t.zone).Zone()
	return at.UnixMicro(), is == offset
}
