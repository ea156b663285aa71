package stats

import (
	"math"
	"time"
)

// wall reads the wall clock of a zone. A time on the clock is what the clock shows, as microseconds since it would have
// shown 1970-01-01T00:00. It keeps what it read last, so that neighbours cost next to nothing; not safe for concurrent use.
type wall struct {
	zone *time.Location // nil is UTC
	last span
}

// A span is a stretch of time, from <= t < to, in which the clock shows t + offset; just before and behind it shows other
// offsets. All in microseconds. The zero span is empty.
type span struct{ from, to, offset int64 }

// maxOffset is more than any zone's offset is or was, in microseconds.
const maxOffset = 26 * hourLength

// shows returns what the clock shows at t.
func (w *wall) shows(t int64) int64 { return t + w.at(t).offset }

// first returns the first moment at which the clock shows the time shown or a later one: the moment of the change for a time
// that it skips, the first for one that it shows twice. It never falls when shown rises.
func (w *wall) first(shown int64) int64 {
	for s := w.at(shown - maxOffset); ; s = w.at(s.to) {
		if t := max(s.from, shown-s.offset); t < s.to {
			return t
		}
	}
}

// at returns the span of t.
func (w *wall) at(t int64) span {
	if t < w.last.from || t >= w.last.to {
		w.last = spanAt(t, w.zone)
	}
	return w.last
}

// spanAt asks zone for the span of t. What package time tells is pieces of it: it ends them where only the name of the
// offset changes, and where a year does.
func spanAt(t int64, zone *time.Location) span {
	if zone == nil {
		return span{from: math.MinInt64, to: math.MaxInt64}
	}
	s := pieceAt(t, zone)
	for s.from > earliest {
		before := pieceAt(s.from-1, zone)
		if before.offset != s.offset {
			s.from = max(s.from, before.to) // of pieces that overlap, the end is right
			break
		}
		s.from = before.from
	}
	for s.to < latest {
		behind := pieceAt(s.to, zone)
		if behind.offset != s.offset {
			break
		}
		s.to = behind.to
	}
	return s
}

// pieceAt returns a stretch of time around t in which zone has one offset.
func pieceAt(t int64, zone *time.Location) span {
	at := time.UnixMicro(t).In(zone)
	_, offset := at.Zone()
	s := span{from: math.MinInt64, to: math.MaxInt64, offset: int64(offset) * 1_000_000}
	from, to := at.ZoneBounds()
	if from.Year() > 1 { // not zero, nor what some files have for the beginning of all time
		s.from = min(from.UnixMicro(), t)
	}
	if !to.IsZero() {
		s.to = to.UnixMicro()
	}
	if s.to <= t { // on the last day of a leap year, where package time takes every year for one of 365 days
		s.to = time.Date(at.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	return s
}
