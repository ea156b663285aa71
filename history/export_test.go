package history

import "time"

// AtTime makes the reader take the time to be now, and returns it.
func (r *Reader) AtTime(now time.Time) *Reader {
	r.now = func() time.Time { return now }
	return r
}
