package journal

import (
	"math"

	"github.com/readout-dev/readout/reading"
)

// Latest tells the time (µs) of the newest reading that a series has; ok is false when it has none, or when that is not
// known just now: then its readings do not count as late. It must be safe for concurrent use and quick: it is asked once
// for each series of each flush.
type Latest func(project, series int64) (time int64, ok bool)

// lateness counts late readings of one project at a time, as they arrived: what came before in the same flush counts
// as known. So the count does not depend on how requests were grouped into flushes.
type lateness struct {
	latest  Latest
	project int64
	newest  map[int64]int64 // by series: what this flush has seen so far
}

func newLateness(latest Latest) *lateness {
	return &lateness{latest: latest, newest: make(map[int64]int64)}
}

// begin starts a flush's group of project.
func (l *lateness) begin(project int64) {
	l.project = project
	clear(l.newest)
}

// count returns how many of rs, in the order they arrived, are late. It looks a series up once for each run of its
// readings.
func (l *lateness) count(rs []reading.Reading) int {
	late := 0
	for i := 0; i < len(rs); {
		series := rs[i].Series
		newest := l.lookup(series)
		for ; i < len(rs) && rs[i].Series == series; i++ {
			if rs[i].Time > newest {
				newest = rs[i].Time
			} else {
				late++
			}
		}
		l.newest[series] = newest
	}
	return late
}

func (l *lateness) lookup(series int64) int64 {
	if t, ok := l.newest[series]; ok {
		return t
	}
	if t, ok := l.latest(l.project, series); ok {
		return t
	}
	return math.MinInt64 // a series without readings: nothing is late
}
