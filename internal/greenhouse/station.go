package greenhouse

// station reads one device. What holds for a whole day it works out once a day, so times are best asked for in order.
// Not safe for concurrent use.
type station struct {
	house  *House
	bay    *bay
	device int

	day            int64
	started        bool // day and all below are set
	sun, yesterday sun

	leftYesterday, atSunrise, drain, left float64 // see breath

	watered, wateredBefore watering
	loses                  [2*longestDry + 1]float64 // % of soil moisture lost, today and the days before

	charge, chargeNext float64 // of the battery, when this day and the next begin

	failure failure
}

func newStation(h *House, device int) *station {
	return &station{house: h, bay: &bays[device], device: device}
}

// read returns what the sensors say at a time in microseconds UTC, and whether the radio brings it home.
func (s *station) read(us int64) (values [metrics]float64, ok bool) {
	if s.silent(us) {
		return values, false
	}
	values = s.measure(us)
	if s.device == failing {
		values[Temperature] = s.failed(us, values[Temperature])
	}
	return values, true
}

// measure returns what healthy sensors say.
func (s *station) measure(us int64) [metrics]float64 {
	day, hour := solar(us)
	if day != s.day || !s.started {
		s.begin(day)
	}
	air := s.air(hour)
	return [metrics]float64{
		Temperature:  s.sense(Temperature, us, air.temperature),
		Humidity:     s.sense(Humidity, us, air.humidity),
		SoilMoisture: s.sense(SoilMoisture, us, s.soil(hour)),
		Light:        s.sense(Light, us, air.light),
		CO2:          s.sense(CO2, us, air.co2),
		Battery:      s.sense(Battery, us, s.battery(hour)),
	}
}

// begin works out what holds for a day.
func (s *station) begin(day int64) {
	var sunshine [memory + 1]float64 // today and the days before
	for ago := range sunshine {
		sunshine[ago] = s.house.sunshine(day - int64(ago))
	}
	s.day, s.started = day, true
	s.sun, s.yesterday = sunOf(day), sunOf(day-1)

	s.drain = drain(sunshine[0])
	s.leftYesterday = leftAtSunset(sunOf(day-2), s.yesterday, drain(sunshine[1]))
	s.left = leftAtSunset(s.yesterday, s.sun, s.drain)
	s.atSunrise = fill(s.leftYesterday, s.sun.rise+24-s.yesterday.set)

	s.watered = s.wateringOf(day)
	s.wateredBefore = s.wateringOf(s.watered.day - 1)
	for ago := range s.loses {
		s.loses[ago] = s.bay.thirst * (0.35 + 0.65*sunshine[ago])
	}
	s.charge, s.chargeNext = chargeAt(sunshine[1:]), chargeAt(sunshine[:memory])
}
