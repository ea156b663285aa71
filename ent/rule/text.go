package rule

import (
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// DeviceName refuses the name of a device that readings could not carry.
func DeviceName(name string) error { return reading.CheckDevice(name) }

// Metric refuses a metric that readings could not carry.
func Metric(metric string) error { return reading.CheckText("metric", metric, 1, reading.MaxMetric) }

// Unit refuses a unit that readings could not carry; empty is none.
func Unit(unit string) error { return reading.CheckText("unit", unit, 0, reading.MaxUnit) }

// Zone refuses a time zone that does not exist.
func Zone(name string) error {
	_, err := stats.LoadZone(name)
	return err
}
