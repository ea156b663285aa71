package greenhouse

import (
	"math"
	"testing"
	"time"
)

// correlation returns Pearson's r.
func correlation(x, y []float64) float64 {
	var mx, my, xy, xx, yy float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(x))
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

// dayOf returns the solar day of a date.
func dayOf(year int, month time.Month, day int) int64 {
	d, _ := solar(time.Date(year, month, day, 12, 0, 0, 0, time.UTC).UnixMicro())
	return d
}

func TestDaysAreLongInJune(t *testing.T) {
	t.Parallel()
	f := func(day int64, length, noon float64) {
		t.Helper()
		s := sunOf(day)
		elevation := math.Asin(s.high+s.wide) * 180 / math.Pi
		if math.Abs(s.set-s.rise-length) > 0.1 || math.Abs(elevation-noon) > 0.8 {
			t.Errorf("day of %.2f hours, sun at %.1f degrees; want %.2f and %.1f", s.set-s.rise, elevation, length, noon)
		}
	}
	f(dayOf(2026, 3, 20), 12, 53.2)
	f(dayOf(2026, 6, 21), 14.5, 76.7)
	f(dayOf(2026, 12, 21), 9.5, 29.8)
}

func TestNightsAreDarkAndCoolerThanDays(t *testing.T) {
	t.Parallel()
	for device, b := range bays {
		if device == failing {
			continue
		}
		w := month(6, device)
		var day, night, days, nights float64
		for i, us := range w.Times {
			d, hour := solar(us)
			s := sunOf(d)
			light, cel := w.Values[Light][i], w.Values[Temperature][i]
			switch {
			case hour < s.rise || hour > s.set:
				if light != 0 {
					t.Fatalf("device %d: %v lx at hour %.1f", device, light, hour)
				}
				night, nights = night+cel, nights+1
			case hour > 11 && hour < 15:
				if light < 1500 {
					t.Fatalf("device %d: %v lx at hour %.1f", device, light, hour)
				}
				day, days = day+cel, days+1
			}
			if cel < b.heated-0.5 || cel > 45 {
				t.Fatalf("device %d: %v Cel", device, cel)
			}
		}
		if day/days < night/nights+3 {
			t.Errorf("device %d: %.1f Cel by day, %.1f at night", device, day/days, night/nights)
		}
	}
}

func TestWeatherLastsForDaysAndChanges(t *testing.T) {
	t.Parallel()
	h := New(7)
	first := dayOf(2026, 1, 1)
	var cover []float64
	var clear, covered int
	for day := range int64(730) {
		var sum float64
		for hour := 0.0; hour < 24; hour++ {
			sum += h.clouds(first+day, hour) / 24
		}
		cover = append(cover, sum)
		if sum < 0.15 {
			clear++
		}
		if sum > 0.7 {
			covered++
		}
	}
	if clear < 73 || covered < 36 {
		t.Errorf("of 730 days %d clear and %d covered", clear, covered)
	}
	if r := correlation(cover[1:], cover[:729]); r < 0.4 {
		t.Errorf("from day to day the cover correlates by %.2f", r)
	}
	if r := correlation(cover[10:], cover[:720]); math.Abs(r) > 0.2 {
		t.Errorf("over ten days the cover correlates by %.2f", r)
	}
}

func TestStormsAreDarkAndCold(t *testing.T) {
	t.Parallel()
	h := New(8)
	var storms int
	var dark, bright, cold, mild, n, m float64
	first, before := dayOf(2026, 1, 1), 0.0
	for day := first; day < first+730; day++ {
		for hour := 0.0; hour < 24; hour++ {
			now := h.storm(hours(day, hour))
			if now > 0 && before == 0 {
				storms++
			}
			before = now
			if hour != 12 {
				continue
			}
			cover := h.clouds(day, hour)
			light, out := h.light(sunOf(day), day, hour, cover), h.outside(day, hour, cover)
			if now > 0.9 {
				dark, cold, n = dark+light, cold+out, n+1
			} else if now == 0 {
				bright, mild, m = bright+light, mild+out, m+1
			}
		}
	}
	if storms < 50 || storms > 110 {
		t.Errorf("%d storms in two years", storms)
	}
	if dark/n > bright/m/2 || cold/n > mild/m-3 {
		t.Errorf("noon of a storm: %.0f lx, %.1f Cel; else %.0f lx, %.1f Cel", dark/n, cold/n, bright/m, mild/m)
	}
}
