package greenhouse

// longestDry bounds the days from one watering of a bay to the next.
const longestDry = 3

// wateringHours is how long the valve is open.
const wateringHours = 0.3

// watering is one opening of the valve.
type watering struct {
	day  int64
	hour float64
	peak float64 // % of soil moisture at its end
}

// wateringOf returns the last watering on a day not after day: early in the morning, a little off each time.
func (s *station) wateringOf(day int64) watering {
	ago := (day + int64(s.device)) % s.bay.every
	if ago < 0 { // before 1970
		ago += s.bay.every
	}
	day -= ago
	n := streamWatering.of(s.device)
	return watering{
		day:  day,
		hour: 5.5 + 1.5*s.house.uniform(n, 2*day),
		peak: s.bay.wet + 3*s.house.uniform(n, 2*day+1) - 1.5,
	}
}

// lastWatering returns the watering that the soil lives from at an hour of the station's day.
func (s *station) lastWatering(hour float64) watering {
	if s.watered.day == s.day && hour < s.watered.hour {
		return s.wateredBefore
	}
	return s.watered
}

// sinceWatering returns the hours since the last watering began.
func (s *station) sinceWatering(hour float64) float64 {
	w := s.lastWatering(hour)
	return hours(s.day-w.day, hour-w.hour)
}

// soil returns the moisture in %: it jumps with each watering and dries with the sun.
func (s *station) soil(hour float64) float64 {
	w := s.lastWatering(hour)
	if s.day == w.day && hour < w.hour+wateringHours {
		before := s.dried(s.wateredBefore, w.hour)
		return before + (w.peak-before)*(hour-w.hour)/wateringHours
	}
	return s.dried(w, hour)
}

// dried returns what is left of a watering at an hour of the station's day.
func (s *station) dried(w watering, hour float64) float64 {
	lost := s.loses[0] * dryingUntil(hour)
	for ago := s.day - w.day; ago > 0; ago-- {
		lost += s.loses[ago]
	}
	lost -= s.loses[s.day-w.day] * dryingUntil(w.hour)
	return max(w.peak-lost, 3)
}

// dryingUntil returns the share of a day's loss that is over by an hour: little at night, most of it in the afternoon.
func dryingUntil(hour float64) float64 { return 0.2*hour/24 + 0.8*ease((hour-8)/11) }
