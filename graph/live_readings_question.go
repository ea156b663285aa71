package graph

import (
	"time"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// readingQuestion is what a subscription to readings asks for, beside the series.
type readingQuestion struct {
	from      *time.Time
	after     *Cursor
	onLag     gql.LagPolicy
	pace      time.Duration // at least this between two events; 0: none
	points    int           // readings of a series that an event and history are thinned to; 0: they are not
	heartbeat time.Duration // 0: none
}

// askedOfReadings understands the arguments; a fault Invalid for what cannot be asked.
func askedOfReadings(
	from *time.Time, after *Cursor, onLag *gql.LagPolicy, maxRate *float64, points *int, heartbeat *stats.Period,
) (q readingQuestion, err error) {
	q = readingQuestion{from: from, after: after, onLag: gql.LagPolicyReplay}
	if after != nil && from != nil {
		return q, fault.New(fault.Invalid, "give from to begin with history, or after to go on, not both")
	}
	if onLag != nil {
		q.onLag = *onLag
	}
	if maxRate != nil {
		if !(*maxRate >= 0.01 && *maxRate <= 1000) {
			return q, fault.New(fault.Invalid, "maxRate is from 0.01 to 1,000 events a second")
		}
		q.pace = time.Duration(float64(time.Second) / *maxRate)
	}
	if points != nil {
		if q.points = *points; q.points < 2 || q.points > maxPoints {
			return q, fault.New(fault.Invalid, "maxPoints is from 2 to %d", maxPoints)
		}
	}
	if heartbeat != nil {
		q.heartbeat = heartbeat.Time
		if heartbeat.Months != 0 || heartbeat.Days != 0 || q.heartbeat < time.Second || q.heartbeat > time.Hour {
			return q, fault.New(fault.Invalid, "heartbeat is from PT1S to PT1H")
		}
	}
	return q, nil
}
