package ingest

import (
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
)

// Limits are what one key may send a second; nil is no limit.
type Limits struct {
	Requests, Readings *auth.Rate
}

// request counts a request before its body is read. Fault: TooMany.
func (l Limits) request(key int64) error {
	if wait := l.Readings.Take(key, 0); wait > 0 { // else its readings would be decoded in vain
		return tooMany("readings", wait)
	}
	if wait := l.Requests.Take(key, 1); wait > 0 {
		return tooMany("requests", wait)
	}
	return nil
}

// readings counts what a request holds. Fault: TooMany.
func (l Limits) readings(key int64, n int) error {
	if wait := l.Readings.Take(key, n); wait > 0 {
		return tooMany("readings", wait)
	}
	return nil
}

func tooMany(what string, wait time.Duration) error {
	return fault.New(fault.TooMany, "this key sends too many %s a second: wait, then send the same again", what).After(wait)
}
