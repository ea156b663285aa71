package tail

import "github.com/prometheus/client_golang/prometheus"

var (
	readingsDesc = prometheus.NewDesc("readout_tail_readings", "Readings held in memory.", nil, nil)
	seriesDesc   = prometheus.NewDesc("readout_tail_series", "Series with readings held in memory.", nil, nil)
	bytesDesc    = prometheus.NewDesc("readout_tail_bytes", "Memory that the held readings take, about.", nil, nil)
)

// seriesBytes is about what a column takes beside its points: itself and its place in the map.
const seriesBytes = 64

// Describe implements prometheus.Collector.
func (t *Tail) Describe(ch chan<- *prometheus.Desc) {
	ch <- readingsDesc
	ch <- seriesDesc
	ch <- bytesDesc
}

// Collect implements prometheus.Collector.
func (t *Tail) Collect(ch chan<- prometheus.Metric) {
	series := t.held.series.Load()
	gauge := func(desc *prometheus.Desc, value int64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value))
	}
	gauge(readingsDesc, t.held.readings.Load())
	gauge(seriesDesc, series)
	gauge(bytesDesc, t.held.bytes.Load()+series*seriesBytes)
}
