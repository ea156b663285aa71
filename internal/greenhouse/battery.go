package greenhouse

import "math"

const (
	memory    = 24   // days whose sun a battery still holds
	fades     = 0.85 // of what a day brought, from one day to the next
	dailyLoad = 0.12 // of a new battery's charge, used evenly over a day
)

// chargeAt returns how full the battery is when a day begins, 0 to 1: a fading sum of the sun of the days before. recent
// is their sunshine, the day before first.
func chargeAt(recent []float64) float64 {
	var sum, weights float64
	weight := 1.0
	for _, sunshine := range recent {
		sum += weight * min(1, 0.25+0.85*math.Sqrt(sunshine))
		weights += weight
		weight *= fades
	}
	return sum / weights
}

// battery returns the voltage: down with the load, up with the sun. It is at its lowest at sunrise.
func (s *station) battery(hour float64) float64 {
	load := dailyLoad * s.bay.worn
	gain := s.chargeNext - s.charge + load
	sunlit := ease((hour - s.sun.rise) / (s.sun.set - s.sun.rise))
	return 3.35 + 0.8*clamp(s.charge-load*hour/24+gain*sunlit, 0, 1)
}
