package greenhouse

import (
	"math"
	"testing"
	"time"
)

func TestWateringLiftsMoistureWhichThenDries(t *testing.T) {
	t.Parallel()
	h := New(9)
	for device, b := range bays {
		s := newStation(h, device)
		watered, before := map[int64]bool{}, math.NaN()
		for us := start.UnixMicro(); us < start.AddDate(0, 0, 30).UnixMicro(); us += microsPerHour / 2 {
			values := s.measure(us)
			moisture := values[SoilMoisture]
			if moisture < b.wet-float64(b.every)*b.thirst-4 || moisture > b.wet+2.5 {
				t.Fatalf("device %d: %v %%", device, moisture)
			}
			if rise := moisture - before; rise > 1 {
				day, hour := solar(us)
				if hour < 5.5 || hour > 8 {
					t.Errorf("device %d: watered at hour %.1f", device, hour)
				}
				watered[day] = true
			}
			before = moisture
		}
		if want := 30 / int(b.every); len(watered) < want-1 || len(watered) > want+1 {
			t.Errorf("device %d: %d waterings in 30 days, want about %d", device, len(watered), want)
		}
	}
}

func TestWateringSoaksInGradually(t *testing.T) {
	t.Parallel()
	for device := range bays {
		s := newStation(New(9), device)
		for day := dayOf(2026, 10, 22); day < dayOf(2026, 11, 22); day++ {
			s.begin(day)
			if s.watered.day != day {
				continue
			}
			on, off := s.watered.hour, s.watered.hour+wateringHours
			dry, half, wet := s.soil(on-1e-6), s.soil((on+off)/2), s.soil(off)
			if math.Abs(s.soil(on)-dry) > 0.01 || math.Abs(s.soil(off-1e-6)-wet) > 0.05 || math.Abs(half-(dry+wet)/2) > 0.1 || wet < dry+1 {
				t.Errorf("device %d day %d: from %.2f over %.2f to %.2f %%", device, day, dry, half, wet)
			}
		}
	}
}

// The soil is continuous over midnight, and so is all else that is worked out day by day.
func TestNothingJumpsAtMidnight(t *testing.T) {
	t.Parallel()
	h := New(10)
	for device := range bays {
		s := newStation(h, device)
		for day := dayOf(2026, 10, 22); day < dayOf(2026, 11, 22); day++ {
			s.begin(day - 1)
			a, soil, volts := s.air(24-1e-6), s.soil(24-1e-6), s.battery(24-1e-6)
			s.begin(day)
			b := s.air(0)
			f := func(what string, before, after, atMost float64) {
				t.Helper()
				if math.Abs(after-before) > atMost {
					t.Errorf("device %d day %d: %s jumps from %v to %v", device, day, what, before, after)
				}
			}
			f("temperature", a.temperature, b.temperature, 0.02)
			f("humidity", a.humidity, b.humidity, 0.1)
			f("co2", a.co2, b.co2, 1)
			f("soil", soil, s.soil(0), 0.01)
			f("battery", volts, s.battery(0), 0.001)
		}
	}
}

func TestVentsLowerHumidityAndMakeTheAirSawUpAndDown(t *testing.T) {
	t.Parallel()
	s := newStation(New(11), 1)
	var open, shut, wet, dry []float64
	before, wasOpen := math.NaN(), false
	for us := start.UnixMicro(); us < start.AddDate(0, 0, 30).UnixMicro(); us += microsPerHour / 20 {
		day, hour := solar(us)
		if day != s.day || !s.started {
			s.begin(day)
		}
		if hour < 11 || hour > 14 {
			before = math.NaN()
			continue
		}
		cover := s.house.clouds(day, hour)
		cel, vents := s.temperature(hour, cover)
		step := math.Abs(cel - before)
		same := wasOpen == (vents > 0)
		before, wasOpen = cel, vents > 0
		switch {
		case math.IsNaN(step) || !same:
		case wasOpen:
			open, dry = append(open, step), append(dry, s.air(hour).humidity)
		default:
			shut, wet = append(shut, step), append(wet, s.air(hour).humidity)
		}
	}
	if len(open) < 200 || len(shut) < 50 {
		t.Fatalf("vents open at %d and shut at %d of the times", len(open), len(shut))
	}
	if mean(open) < 2*mean(shut) {
		t.Errorf("three minutes move the air by %.3f Cel with open vents, %.3f with shut ones", mean(open), mean(shut))
	}
	if mean(dry) > mean(wet)-10 {
		t.Errorf("humidity %.1f with open vents, %.1f with shut ones", mean(dry), mean(wet))
	}
	if open, shut := s.humidity(12, 25, 0.3, 1), s.humidity(12, 25, 0.3, 0); open > shut-10 {
		t.Errorf("at the same temperature: humidity %.1f with open vents, %.1f with shut ones", open, shut)
	}
}

func TestCO2FallsWithLight(t *testing.T) {
	t.Parallel()
	for device, b := range bays {
		w := month(12, device)
		if r := correlation(w.Values[Light], w.Values[CO2]); r > -0.5 {
			t.Errorf("device %d: light and CO2 correlate by %.2f", device, r)
		}
		var dawn, noon []float64
		for i, us := range w.Times {
			switch day, hour := solar(us); {
			case math.Abs(hour-sunOf(day).rise) < 0.1:
				dawn = append(dawn, w.Values[CO2][i])
			case math.Abs(hour-12) < 0.1:
				noon = append(noon, w.Values[CO2][i])
			}
		}
		if mean(dawn) < mean(noon)+0.8*b.respires || mean(noon) > outdoorCO2 {
			t.Errorf("device %d: %.0f ppm at dawn, %.0f at noon", device, mean(dawn), mean(noon))
		}
	}
}

func TestSunChargesTheBatteryAndNightsDrainIt(t *testing.T) {
	t.Parallel()
	h := New(13)
	for device := range bays {
		s := newStation(h, device)
		var sunshine, volts []float64
		for day := dayOf(2026, 1, 1); day < dayOf(2027, 1, 1); day++ {
			s.begin(day)
			evening := s.battery(s.sun.set)
			s.begin(day + 1)
			dawn := s.battery(s.sun.rise)
			if dawn > evening-0.03 {
				t.Errorf("device %d day %d: %.3f V in the evening, %.3f at dawn", device, day, evening, dawn)
			}
			if late := s.battery(s.sun.set); late < dawn-0.001 {
				t.Errorf("device %d day %d: a day drains it from %.3f to %.3f V", device, day, dawn, late)
			}
			var sum float64
			for ago := range int64(6) {
				sum += h.sunshine(day - ago)
			}
			sunshine, volts = append(sunshine, sum), append(volts, dawn)
		}
		if r := correlation(sunshine, volts); r < 0.7 {
			t.Errorf("device %d: sun of six days and voltage correlate by %.2f", device, r)
		}
		if low, high := least(volts), -least(negated(volts)); low < 3.4 || high > 4.15 || high-low < 0.1 {
			t.Errorf("device %d: from %.2f to %.2f V in a year", device, low, high)
		}
	}
}

func TestRadiosDropOutNowAndThen(t *testing.T) {
	t.Parallel()
	h := New(14)
	for device, b := range bays {
		const days = 120
		w := h.Window(device, start, start.AddDate(0, 0, days), time.Minute)
		outages, missing := 0, days*24*60-len(w.Times)
		for i := 1; i < len(w.Times); i++ {
			gap := time.Duration(w.Times[i]-w.Times[i-1]) * time.Microsecond
			if gap == time.Minute {
				continue
			}
			outages++
			if gap < 5*time.Minute || gap > 6*time.Hour+2*time.Minute {
				t.Errorf("device %d: silent for %v", device, gap)
			}
		}
		want := b.patchy * days / 2
		if float64(outages) < want*0.6 || float64(outages) > want*1.4 {
			t.Errorf("device %d: %d drop-outs in %d days, want about %.0f", device, outages, days, want)
		}
		if share := float64(missing) / (days * 24 * 60); share < 0.002 || share > 0.08 {
			t.Errorf("device %d: silent for %.1f %% of the time", device, 100*share)
		}
	}
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func least(x []float64) float64 {
	low := math.Inf(1)
	for _, v := range x {
		low = min(low, v)
	}
	return low
}

func negated(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = -v
	}
	return y
}
