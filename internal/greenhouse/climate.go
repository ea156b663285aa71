package greenhouse

import "math"

// air is the climate of a bay at one time, before any sensor.
type air struct {
	temperature float64 // Cel
	humidity    float64 // %
	light       float64 // lx
	co2         float64 // ppm
}

// outdoorCO2 is what ventilation pulls the air to, in ppm.
const outdoorCO2 = 425

// air returns the climate of the station's bay at an hour of the station's day.
func (s *station) air(hour float64) air {
	cover := s.house.clouds(s.day, hour)
	light := s.bay.clear * s.house.light(s.sun, s.day, hour, cover)
	temperature, open := s.temperature(hour, cover)
	return air{
		temperature: temperature,
		humidity:    s.humidity(hour, temperature, cover, open),
		light:       light,
		co2:         s.co2(hour, light, open),
	}
}

// temperature returns the air's temperature and how far the vents are open, 0 to 1.
func (s *station) temperature(hour, cover float64) (cel, open float64) {
	const lag = 0.8 // hours until the sun has warmed the air
	warmth := 26 * s.bay.clear * s.sun.clear(hour-lag) * (1 - 0.75*cover)
	cel = s.house.outside(s.day, hour, cover) + 2 + warmth
	cel = s.bay.heated + 1.2*math.Log1p(math.Exp((cel-s.bay.heated)/1.2)) // the heating meets the cold gently
	over := cel - s.bay.vented
	if over <= 0 {
		return cel, 0
	}
	open = min(over/8, 1)
	// The motor opens and shuts the vents in turn, so the air saws up and down, some two or three times an hour.
	t := hours(s.day, hour)
	turns := 2.5*t + 3*s.house.wander(streamVents.of(s.device), t/5)
	return s.bay.vented + 0.4*over + (turns-math.Floor(turns)-0.5)*min(over, 1), open
}

func (s *station) humidity(hour, cel, cover, open float64) float64 {
	rh := 91 - 2*(cel-s.bay.heated) + 5*cover - 14*open
	rh += 4 * math.Exp(-s.sinceWatering(hour)/2)
	rh += 3 * s.house.wander(streamHumidity.of(s.device), hours(s.day, hour)/9)
	return clamp(rh, 18, 99)
}

// co2 returns the carbon dioxide: plants breathe it out at night and take it in with light, and vents even it out.
func (s *station) co2(hour, light, open float64) float64 {
	ppm := outdoorCO2 + s.bay.respires*s.breath(hour) - 90*math.Tanh(light/20_000)
	return outdoorCO2 + (ppm-outdoorCO2)*(1-0.7*open)
}

// breath returns how much of a long night's CO2 is in the air, 0 to 1: filling from sunset, used up from sunrise.
func (s *station) breath(hour float64) float64 {
	switch {
	case hour < s.sun.rise:
		return fill(s.leftYesterday, hour+24-s.yesterday.set)
	case hour < s.sun.set:
		return s.atSunrise * math.Exp(-(hour-s.sun.rise)/s.drain)
	default:
		return fill(s.left, hour-s.sun.set)
	}
}

// fill returns what is in the air some hours after sunset, when left was there.
func fill(left, hours float64) float64 { return 1 - (1-left)*math.Exp(-hours/5) }

// drain returns in how many hours of a day with so much sunshine plants use up most of the night's CO2.
func drain(sunshine float64) float64 { return 1.2 + 1.5*max(0, 0.5-sunshine) }

// leftAtSunset returns what a day leaves of the night before it, which began empty.
func leftAtSunset(before, day sun, drain float64) float64 {
	return fill(0, day.rise+24-before.set) * math.Exp(-(day.set-day.rise)/drain)
}
