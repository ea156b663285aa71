package pack

import "github.com/prometheus/client_golang/prometheus"

// keeperMetrics counts what a Keeper takes away.
type keeperMetrics struct {
	dropped prometheus.Counter
	deleted prometheus.Counter
}

func newKeeperMetrics(reg prometheus.Registerer) *keeperMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "readout", Subsystem: "keeper", Name: name, Help: help})
	}
	m := &keeperMetrics{
		dropped: counter("dropped_partitions_total", "Partitions that were dropped because nobody keeps what they held."),
		deleted: counter("deleted_rows_total", "Rows of packed readings and rollups deleted because their project does not keep them."),
	}
	if reg != nil {
		reg.MustRegister(m.dropped, m.deleted)
	}
	return m
}
