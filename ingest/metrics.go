package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/journal"
)

// Metrics counts what came in.
type Metrics struct {
	readings, late prometheus.Counter
}

// NewMetrics returns metrics registered with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		readings: prometheus.NewCounter(prometheus.CounterOpts{Name: "readout_ingest_readings_total", Help: "Readings that were acknowledged."}),
		late:     prometheus.NewCounter(prometheus.CounterOpts{Name: "readout_ingest_late_readings_total", Help: "Acknowledged readings that were not newer than their series' latest."}),
	}
	reg.MustRegister(m.readings, m.late)
	return m
}

func (m *Metrics) accepted(ack journal.Ack) {
	m.readings.Add(float64(ack.Accepted))
	m.late.Add(float64(ack.Late))
}
