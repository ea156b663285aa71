package greenhouse

import "math"

// sensor is how exact one kind of sensor is.
type sensor struct {
	noise    float64 // deviation, in the metric's unit
	relative float64 // deviation as a share of the value, added to noise
	steps    float64 // per unit: 100 is a resolution of 0.01
	low      float64 // the least it can say
	high     float64 // the most it can say
}

var sensors = [metrics]sensor{
	Temperature:  {noise: 0.05, steps: 100, low: -40, high: 85},
	Humidity:     {noise: 0.3, steps: 10, low: 0, high: 100},
	SoilMoisture: {noise: 0.12, steps: 10, low: 0, high: 100},
	Light:        {relative: 0.01, steps: 1, low: 0, high: 130_000},
	CO2:          {noise: 5, steps: 1, low: 350, high: 5000},
	Battery:      {noise: 0.003, steps: 100, low: 0, high: 5},
}

// sense returns what a sensor says of the truth: noise, resolution and range.
func (s *station) sense(metric int, us int64, truth float64) float64 {
	m := &sensors[metric]
	noise := s.house.normal((streamNoise + stream(metric)).of(s.device), us)
	return m.says(truth + noise*(m.noise+m.relative*truth))
}

// says returns what the sensor can say that is nearest to v.
func (m *sensor) says(v float64) float64 {
	return clamp(math.Round(v*m.steps)/m.steps, m.low, m.high)
}

// radioSlot is how long a time, in microseconds, has at most one drop-out of the radio, which begins and ends in it.
const radioSlot = 2 * microsPerDay

// silent tells whether the radio is in a drop-out: of 5 minutes to 6 hours, short ones as likely as long ones.
func (s *station) silent(us int64) bool {
	slot := us / radioSlot
	stream := streamRadio.of(s.device)
	if s.house.uniform(stream, 3*slot) >= s.bay.patchy {
		return false
	}
	length := 5.0 / 60 * microsPerHour * math.Pow(72, s.house.uniform(stream, 3*slot+1))
	since := float64(us-slot*radioSlot) - (radioSlot-length)*s.house.uniform(stream, 3*slot+2)
	return since >= 0 && since < length
}
