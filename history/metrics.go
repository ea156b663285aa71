package history

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what a Reader does.
type metrics struct {
	seconds        prometheus.Histogram
	readings, rows prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, c *cache) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "readout_history_seconds", Help: "Time that one look at the tail and the packed readings took.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		readings: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "readout_history_readings_total", Help: "Readings that were read.",
		}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "readout_history_rows_total", Help: "Packed rows that were fetched and decoded.",
		}),
	}
	if registry != nil {
		registry.MustRegister(m.seconds, m.readings, m.rows, c)
	}
	return m
}

func (m *metrics) observe(started time.Time) { m.seconds.Observe(time.Since(started).Seconds()) }

var (
	hitsDesc   = prometheus.NewDesc("readout_history_cache_hits_total", "Packed rows found decoded.", nil, nil)
	missesDesc = prometheus.NewDesc("readout_history_cache_misses_total", "Packed rows not found decoded.", nil, nil)
	bytesDesc  = prometheus.NewDesc("readout_history_cache_bytes", "Memory that decoded rows take, about.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *cache) Describe(ch chan<- *prometheus.Desc) {
	ch <- hitsDesc
	ch <- missesDesc
	ch <- bytesDesc
}

// Collect implements prometheus.Collector.
func (c *cache) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(hitsDesc, prometheus.CounterValue, float64(c.hits))
	ch <- prometheus.MustNewConstMetric(missesDesc, prometheus.CounterValue, float64(c.misses))
	ch <- prometheus.MustNewConstMetric(bytesDesc, prometheus.GaugeValue, float64(c.bytes))
}
