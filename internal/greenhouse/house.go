// Package greenhouse simulates eight solar-powered sensor stations in a greenhouse near Almería, for demonstrations and
// load tests.
//
// What a station reads is a function of the seed and the time alone, so history and live readings fit together without
// any state, and the same window asked for twice is the same to the last digit (to the last but one where a processor
// fuses multiplications). Weather is in sky.go, what it does inside in climate.go, soil.go and battery.go, and what
// sensors make of it in sensor.go: noise, resolution, silence, and one thermometer that fails. It sends nothing
// anywhere. Start with House.
package greenhouse

import "time"

// Device is one station.
type Device struct{ Name, Description string }

// Metric is what every station measures; Unit is its UCUM code.
type Metric struct{ Name, Unit string }

// The places of the metrics in Metrics, in Window.Values and in what At returns.
const (
	Temperature  = iota // Cel, 2 decimals
	Humidity            // % relative, 1 decimal
	SoilMoisture        // % by volume, 1 decimal
	Light               // lx
	CO2                 // ppm
	Battery             // V, 2 decimals
	metrics             // how many
)

// House is the greenhouse. It never changes, so it is safe for concurrent use.
type House struct{ seed uint64 }

// New returns the house of a seed: another seed is other weather and other mishaps in the same bays.
func New(seed uint64) *House { return &House{seed: mix(seed)} }

// Devices returns the stations; a station's place in it is the device of Window and At.
func (h *House) Devices() []Device {
	devices := make([]Device, len(bays))
	for i, b := range bays {
		devices[i] = Device{Name: b.name, Description: b.description}
	}
	return devices
}

// Metrics returns what every station measures, in the order of the constants.
func (h *House) Metrics() []Metric {
	return []Metric{
		{"temperature", "Cel"},
		{"humidity", "%"},
		{"soil_moisture", "%"},
		{"light", "lx"},
		{"co2", "[ppm]"},
		{"battery", "V"},
	}
}

// Window is what a station read over some time: every metric at every one of Times.
type Window struct {
	Times  []int64            // microseconds since 1970-01-01 UTC, ascending
	Values [metrics][]float64 // by metric, as long as Times
}

// Window returns what a device read at from, from+step … before to; times at which it was silent are left out. step
// must be positive. It panics for a device that does not exist.
func (h *House) Window(device int, from, to time.Time, step time.Duration) Window {
	if step <= 0 {
		panic("greenhouse: step must be positive")
	}
	n := int(max(0, (to.Sub(from)+step-1)/step))
	w := Window{Times: make([]int64, 0, n)}
	for m := range w.Values {
		w.Values[m] = make([]float64, 0, n)
	}
	s := newStation(h, device)
	for t := from; t.Before(to); t = t.Add(step) {
		values, ok := s.read(t.UnixMicro())
		if !ok {
			continue
		}
		w.Times = append(w.Times, t.UnixMicro())
		for m, v := range values {
			w.Values[m] = append(w.Values[m], v)
		}
	}
	return w
}

// At returns what a device reads at t, by metric, or nil while it is silent: the same as Window has at t. It panics for
// a device that does not exist.
func (h *House) At(device int, t time.Time) []float64 {
	values, ok := newStation(h, device).read(t.UnixMicro())
	if !ok {
		return nil
	}
	return values[:]
}
