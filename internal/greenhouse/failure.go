package greenhouse

// The thermometer of one station fails, is replaced, and fails again, in cycles of twenty days: any thirty days show
// every stage.
const (
	failureCycle = 20 * microsPerDay
	driftsAfter  = 9 * microsPerDay  // warmer and warmer
	spikesAfter  = 14 * microsPerDay // and single readings far off
	stuckAfter   = 17 * microsPerDay // then the same value for ever
	replaced     = 19 * microsPerDay // and a new one
)

const (
	driftsBy   = 7.0  // Cel, when it gets stuck
	spikesUp   = 15.0 // Cel at least, up or down
	spikesOnce = 0.03 // of all readings
)

// failure is the value that the thermometer is stuck at, and in which cycle.
type failure struct {
	cycle int64
	value float64
	known bool
}

// failed returns what the failing thermometer says when a healthy one would say cel.
func (s *station) failed(us int64, cel float64) float64 {
	// The seed moves the cycles, so that houses do not fail together.
	us += int64(s.house.uniform(streamFailure, 0) * failureCycle)
	cycle := us / failureCycle
	since := us - cycle*failureCycle
	switch {
	case since < driftsAfter || since >= replaced:
		return cel
	case since < stuckAfter:
		return sensors[Temperature].says(cel + drift(since) + s.spike(us, since))
	}
	return s.stuckAt(cycle, us-since+stuckAfter)
}

// drift returns how much too warm the thermometer is, growing faster and faster.
func drift(since int64) float64 {
	x := float64(since-driftsAfter) / (stuckAfter - driftsAfter)
	return driftsBy * x * x
}

func (s *station) spike(us, since int64) float64 {
	if since < spikesAfter || s.house.uniform(streamSpike, us) >= spikesOnce {
		return 0
	}
	return (spikesUp + 10*s.house.uniform(streamSpike, ^us)) * sign(s.house.bits(streamSpike, us))
}

// sign returns 1 or -1, by a bit that fraction does not use.
func sign(bits uint64) float64 { return float64(bits&1)*2 - 1 }

// stuckAt returns the value of a cycle's last moment before the thermometer got stuck.
func (s *station) stuckAt(cycle, moment int64) float64 {
	if !s.failure.known || s.failure.cycle != cycle {
		moment -= int64(s.house.uniform(streamFailure, 0) * failureCycle)
		other := newStation(s.house, s.device)
		healthy := other.measure(moment)[Temperature]
		s.failure = failure{cycle: cycle, value: sensors[Temperature].says(healthy + driftsBy), known: true}
	}
	return s.failure.value
}
