package live

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what a Hub counts.
type metrics struct {
	subscribers atomic.Int64
	queued      atomic.Int64
	overruns    atomic.Int64

	// Entries given to subscribers.
	fromQueue, fromRing, fromJournal atomic.Int64
}

var (
	subscribersDesc = prometheus.NewDesc("readout_live_subscribers", "Subscriptions that are open.", nil, nil)
	entriesDesc     = prometheus.NewDesc("readout_live_entries_total",
		"Entries given to subscribers, by where they came from.", []string{"from"}, nil)
	queuedDesc = prometheus.NewDesc("readout_live_queued",
		"Entries that wait in the queues of subscribers; one that waits for many counts many times.", nil, nil)
	overrunsDesc = prometheus.NewDesc("readout_live_overruns_total",
		"Queues of subscribers that were full: what was in them is read again.", nil, nil)
)

// Describe implements prometheus.Collector.
func (h *Hub) Describe(ch chan<- *prometheus.Desc) {
	ch <- subscribersDesc
	ch <- entriesDesc
	ch <- queuedDesc
	ch <- overrunsDesc
}

// Collect implements prometheus.Collector.
func (h *Hub) Collect(ch chan<- prometheus.Metric) {
	m := &h.metrics
	metric := func(desc *prometheus.Desc, kind prometheus.ValueType, value *atomic.Int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, kind, float64(value.Load()), labels...)
	}
	metric(subscribersDesc, prometheus.GaugeValue, &m.subscribers)
	metric(queuedDesc, prometheus.GaugeValue, &m.queued)
	metric(overrunsDesc, prometheus.CounterValue, &m.overruns)
	metric(entriesDesc, prometheus.CounterValue, &m.fromQueue, "queue")
	metric(entriesDesc, prometheus.CounterValue, &m.fromRing, "ring")
	metric(entriesDesc, prometheus.CounterValue, &m.fromJournal, "journal")
}
