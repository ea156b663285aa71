package journal

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what the flusher does.
type metrics struct {
	readings prometheus.Counter
	late     prometheus.Counter
	entries  prometheus.Counter
	refused  prometheus.Counter
	retries  prometheus.Counter
	seconds  prometheus.Histogram
	size     prometheus.Histogram
}

// newMetrics registers the metrics with reg, unless it is nil; queued tells how many readings wait.
func newMetrics(reg prometheus.Registerer, queued func() int) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "readout", Subsystem: "journal", Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "readout", Subsystem: "journal", Name: name, Help: help, Buckets: buckets,
		})
	}
	m := &metrics{
		readings: counter("readings_total", "Readings that were stored."),
		late:     counter("late_readings_total", "Readings that were stored and not newer than their series' newest."),
		entries:  counter("entries_total", "Entries that were stored, one for each project of a commit."),
		refused:  counter("refused_appends_total", "Appends refused because the queue was full or the server stopping."),
		retries:  counter("retries_total", "Times that a commit was looked up or tried again because the database was away."),
		seconds: histogram("flush_seconds", "Time from taking what is queued to its commit.",
			prometheus.ExponentialBuckets(0.0005, 2, 14)),
		size: histogram("flush_readings", "Readings in one commit.", prometheus.ExponentialBuckets(1, 4, 9)),
	}
	if reg != nil {
		reg.MustRegister(m.readings, m.late, m.entries, m.refused, m.retries, m.seconds, m.size,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Namespace: "readout", Subsystem: "journal", Name: "queued_readings",
				Help: "Readings that wait for their commit.",
			}, func() float64 { return float64(queued()) }))
	}
	return m
}

// flushed counts a flush, whatever became of it.
func (m *metrics) flushed(started time.Time, groups []*group) {
	n := 0
	for _, g := range groups {
		n += len(g.readings)
	}
	m.seconds.Observe(time.Since(started).Seconds())
	m.size.Observe(float64(n))
}

// stored counts a group that is durable.
func (m *metrics) stored(g *group) {
	m.entries.Inc()
	for _, r := range g.requests {
		m.readings.Add(float64(len(r.readings)))
		m.late.Add(float64(r.late))
	}
}

// replicaMetrics counts what replicas tell each other.
type replicaMetrics struct{ told, heard prometheus.Counter }

// newReplicaMetrics registers the metrics with reg, unless it is nil; known tells how many others there are.
func newReplicaMetrics(reg prometheus.Registerer, known func() int) *replicaMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "readout", Subsystem: "replicas", Name: name, Help: help})
	}
	m := &replicaMetrics{
		told:  counter("notices_sent_total", "Times that the other replicas were told of news."),
		heard: counter("notices_heard_total", "Notices of other replicas that were heard."),
	}
	if reg != nil {
		reg.MustRegister(m.told, m.heard, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "readout", Subsystem: "replicas", Name: "known",
			Help: "Other replicas that are known to be there.",
		}, func() float64 { return float64(known()) }))
	}
	return m
}
