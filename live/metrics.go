package live

import "github.com/prometheus/client_golang/prometheus"

var (
	subscribersDesc = prometheus.NewDesc("readout_live_subscribers", "Subscriptions that are open.", nil, nil)
	entriesDesc     = prometheus.NewDesc("readout_live_entries_total",
		"Entries given to subscribers, by where they came from.", []string{"from"}, nil)
)

// Describe implements prometheus.Collector.
func (h *Hub) Describe(ch chan<- *prometheus.Desc) {
	ch <- subscribersDesc
	ch <- entriesDesc
}

// Collect implements prometheus.Collector.
func (h *Hub) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(subscribersDesc, prometheus.GaugeValue, float64(h.subscribers.Load()))
	for from, n := range map[string]int64{"ring": h.fromRing.Load(), "journal": h.fromJournal.Load()} {
		ch <- prometheus.MustNewConstMetric(entriesDesc, prometheus.CounterValue, float64(n), from)
	}
}
