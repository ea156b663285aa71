package main

import "time"

// replayPace says when a reading is due: as long after the first one as the times say, divided by the speed.
type replayPace struct {
	speed float64 // 0: everything is due at once

	began   time.Time
	first   int64 // time of the first reading, in microseconds
	started bool
}

// wait returns how long it is until a reading of time t (in microseconds) is due; 0 or less is now. The first reading
// that is asked for is due at once.
func (p *replayPace) wait(t int64) time.Duration {
	if p.speed == 0 {
		return 0
	}
	if !p.started {
		p.began, p.first, p.started = time.Now(), t, true
	}
	const century = 100 * 366 * 24 * time.Hour // a Duration holds no more than about three
	after := min(float64(t-p.first)*1000/p.speed, float64(century))
	return time.Duration(after) - time.Since(p.began)
}
