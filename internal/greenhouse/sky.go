package greenhouse

import "math"

// The house stands at 36.8° N, 2.4° W. Days and hours in this package are solar: the sun is highest at 12.
const (
	latitude   = 36.8 * math.Pi / 180
	solarShift = -2.4 / 15 * microsPerHour // of solar time against UTC, in microseconds

	microsPerHour = 3_600_000_000
	microsPerDay  = 24 * microsPerHour
)

// solar splits a time in microseconds UTC into a solar day, counted from 1970-01-01, and the hour in it.
func solar(us int64) (day int64, hour float64) {
	us += int64(solarShift)
	day = us / microsPerDay
	if us%microsPerDay < 0 {
		day--
	}
	return day, float64(us-day*microsPerDay) / microsPerHour
}

// hours returns a solar day and hour as one number, for what wanders in time.
func hours(day int64, hour float64) float64 { return float64(day)*24 + hour }

// sun is the sun's way over one day.
type sun struct {
	high, wide float64 // sine of the elevation at hour h is high + wide·cos(15°·(h−12))
	rise, set  float64 // hours
}

// sunOf returns the sun of a day, by Cooper's equation for the declination (1969).
func sunOf(day int64) sun {
	ofYear := math.Mod(float64(day), 365.2425)
	declination := 23.45 * math.Pi / 180 * math.Sin(2*math.Pi*(ofYear-80)/365)
	half := math.Acos(-math.Tan(latitude)*math.Tan(declination)) * 12 / math.Pi
	return sun{
		high: math.Sin(latitude) * math.Sin(declination),
		wide: math.Cos(latitude) * math.Cos(declination),
		rise: 12 - half,
		set:  12 + half,
	}
}

// clear returns how strong the sun is without clouds, 0 at night to about 1.
func (s sun) clear(hour float64) float64 {
	sine := s.high + s.wide*math.Cos((hour-12)*math.Pi/12)
	if sine <= 0 {
		return 0
	}
	return sine * math.Sqrt(math.Sqrt(sine)) // low sun shines through more air
}

// blocked is the share of the light that a closed cover of clouds takes.
const blocked = 0.8

// clouds returns the cover, 0 to 1: spells of some days, fields of some hours, and storms.
func (h *House) clouds(day int64, hour float64) float64 {
	t := hours(day, hour)
	cover := 0.36 + 0.55*h.wander(streamClouds, t/60) + 0.25*h.wander(streamGusts, t/7)
	return clamp(max(cover, h.storm(t)), 0, 1)
}

// stormSlot is how many hours have at most one storm, which begins and ends in them.
const stormSlot = 144

// storm returns how much of a storm there is, 0 to 1, at a time in hours.
func (h *House) storm(t float64) float64 {
	slot := math.Floor(t / stormSlot)
	n := int64(slot) * 4
	if h.uniform(streamStorm, n) > 0.6 {
		return 0
	}
	length := 6 + 10*h.uniform(streamStorm, n+1)
	since := t - slot*stormSlot - (stormSlot-length)*h.uniform(streamStorm, n+2)
	return ease(since) * ease((length-since)/3)
}

// light returns the light outside in lx; broken clouds make it flicker.
func (h *House) light(s sun, day int64, hour, cover float64) float64 {
	strength := s.clear(hour)
	if strength == 0 {
		return 0
	}
	broken := 4 * cover * (1 - cover)
	flicker := 1 + 0.3*broken*h.wander(streamFlicker, hours(day, hour)*6)
	return 115_000 * strength * (1 - blocked*cover) * flicker
}

// outside returns the temperature outdoors in Cel: the season, the air mass, the day and what clouds and storms make of it.
func (h *House) outside(day int64, hour, cover float64) float64 {
	t := hours(day, hour)
	season := 18.5 - 7*math.Cos(2*math.Pi*(t/24-30)/365.2425)
	swing := (5 - 3*cover) * math.Cos((hour-14.5)*math.Pi/12)
	return season + 4*h.wander(streamAirMass, t/70) + swing - 4*h.storm(t)
}

// sunshine returns how much sun a day has in all, 0 to about 1 on a clear day in June.
func (h *House) sunshine(day int64) float64 {
	s := sunOf(day)
	var sum float64
	for hour := 6.0; hour <= 18; hour += 2 {
		if strength := s.clear(hour); strength > 0 {
			sum += strength * (1 - blocked*h.clouds(day, hour))
		}
	}
	return sum / 4.2
}
