package greenhouse

import (
	"math"
	"reflect"
	"strconv"
	"testing"
	"time"
)

var start = time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)

// month returns what a device read in thirty days, every five minutes.
func month(seed uint64, device int) Window {
	return New(seed).Window(device, start, start.AddDate(0, 0, 30), 5*time.Minute)
}

func TestReadingsDependOnSeedAndTimeAlone(t *testing.T) {
	t.Parallel()
	if !reflect.DeepEqual(month(1, 2), month(1, 2)) {
		t.Error("the same window of the same seed differs")
	}
	if reflect.DeepEqual(month(1, 2), month(2, 2)) {
		t.Error("another seed is the same weather")
	}
	h := New(1)
	for device := range bays {
		w := h.Window(device, start.AddDate(0, 0, 3), start.AddDate(0, 0, 25), 97*time.Minute)
		for i, us := range w.Times {
			at := h.At(device, time.UnixMicro(us))
			for m := range metrics {
				if at[m] != w.Values[m][i] {
					t.Fatalf("device %d metric %d at %d: %v alone, %v in a window", device, m, us, at[m], w.Values[m][i])
				}
			}
		}
	}
}

func TestWindowEndsBeforeTo(t *testing.T) {
	t.Parallel()
	f := func(length, step time.Duration, want int) {
		t.Helper()
		if w := New(1).Window(0, start, start.Add(length), step); len(w.Times) != want {
			t.Errorf("%v every %v: %d readings, want %d", length, step, len(w.Times), want)
		}
	}
	f(time.Hour, 5*time.Minute, 12)
	f(time.Hour+1, 5*time.Minute, 13)
	f(time.Second, time.Hour, 1)
	f(0, time.Second, 0)
	f(-time.Hour, time.Second, 0)
}

func TestDevicesAndMetricsAreNamed(t *testing.T) {
	t.Parallel()
	h := New(1)
	names := map[string]bool{}
	for _, d := range h.Devices() {
		if d.Name == "" || d.Description == "" || names[d.Name] {
			t.Errorf("device %+v", d)
		}
		names[d.Name] = true
	}
	if len(names) != 8 || len(h.Metrics()) != metrics || h.Metrics()[CO2].Unit != "[ppm]" || h.Metrics()[Battery].Name != "battery" {
		t.Errorf("devices %v, metrics %v", names, h.Metrics())
	}
}

// Any time works, the zero one and those before 1970 too.
func TestAnyTimeHasReadings(t *testing.T) {
	t.Parallel()
	for device := range bays {
		for _, from := range []time.Time{{}, time.Unix(-1e6, 0), time.Unix(0, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)} {
			w := New(3).Window(device, from, from.AddDate(0, 0, 9), time.Hour)
			if len(w.Times) < 150 {
				t.Errorf("device %d from %v: %d readings", device, from, len(w.Times))
			}
			for m, values := range w.Values {
				for _, v := range values {
					if !(v >= sensors[m].low && v <= sensors[m].high) {
						t.Fatalf("device %d metric %d: %v", device, m, v)
					}
				}
			}
		}
	}
}

func TestValuesHaveTheResolutionOfSensors(t *testing.T) {
	t.Parallel()
	decimals := [metrics]int{Temperature: 2, Humidity: 1, SoilMoisture: 1, Light: 0, CO2: 0, Battery: 2}
	for device := range bays {
		w := month(4, device)
		for m, values := range w.Values {
			finest := false
			for _, v := range values {
				text := strconv.FormatFloat(v, 'f', decimals[m], 64)
				if back, _ := strconv.ParseFloat(text, 64); back != v {
					t.Fatalf("device %d metric %d: %v has more than %d decimals", device, m, v, decimals[m])
				}
				finest = finest || text[len(text)-1] != '0'
			}
			if !finest {
				t.Errorf("device %d metric %d never uses its last decimal", device, m)
			}
		}
	}
}

func TestSensorsAreNoisyAroundTheTruth(t *testing.T) {
	t.Parallel()
	h := New(5)
	at := start.Add(40 * time.Hour).UnixMicro()
	s := newStation(h, 1)
	for m := range metrics {
		const n = 4000
		var sum, squares float64
		for i := range int64(n) {
			noise := h.normal((streamNoise + stream(m)).of(1), at+i)
			sum += noise
			squares += noise * noise
		}
		if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.06 || math.Abs(deviation-1) > 0.05 {
			t.Errorf("metric %d: noise of mean %.3f and deviation %.3f", m, mean, deviation)
		}
	}
	// A second apart the air is the same, the readings are not.
	var squares float64
	for i := range int64(2000) {
		d := s.measure(at + 1e6*(i+1))[Humidity] - s.measure(at + 1e6*i)[Humidity]
		squares += d * d
	}
	if got, want := math.Sqrt(squares/2000), sensors[Humidity].noise*math.Sqrt2; math.Abs(got-want) > 0.1*want {
		t.Errorf("humidity jumps by %.3f from second to second, want about %.3f", got, want)
	}
}

func BenchmarkMonthOfAllDevices(b *testing.B) {
	h := New(1)
	b.ReportAllocs()
	readings := 0
	for b.Loop() {
		for device := range bays {
			w := h.Window(device, start, start.AddDate(0, 0, 30), 5*time.Minute)
			readings += metrics * len(w.Times)
		}
	}
	b.ReportMetric(float64(readings)/b.Elapsed().Seconds()/1e6, "Mreadings/s")
}
