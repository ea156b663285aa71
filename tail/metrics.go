package tail

import "github.com/prometheus/client_golang/prometheus"

var (
	readingsDesc = prometheus.NewDesc("readout_tail_readings", "Readings held in memory.", nil, nil)
	filledDesc   = prometheus.NewDesc("readout_tail_series", "Series with readings held in memory.", nil, nil)
	seriesDesc   = prometheus.NewDesc("readout_tail_latest_series", "Series whose latest reading is held in memory.", nil, nil)
	bytesDesc    = prometheus.NewDesc("readout_tail_bytes", "Memory that the held readings take, about.", nil, nil)
)

// seriesBytes is about what a column takes beside its points: itself and its places in the map and the list.
const seriesBytes = 176

// tally is what one project holds more than the metrics know of: they are told once for many columns.
type tally struct{ readings, filled, series, bytes int64 }

// add takes the column in, or, times -1, takes it out.
func (t *tally) add(c *column, times int64) {
	t.readings += times * int64(len(c.times))
	t.bytes += times * c.bytes()
	if len(c.times) > 0 {
		t.filled += times
	}
}

// take tells the metrics, and empties the tally.
func (h *held) take(t *tally) {
	h.readings.Add(t.readings)
	h.filled.Add(t.filled)
	h.series.Add(t.series)
	h.bytes.Add(t.bytes)
	*t = tally{}
}

// Describe implements prometheus.Collector.
func (t *Tail) Describe(ch chan<- *prometheus.Desc) {
	ch <- readingsDesc
	ch <- filledDesc
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
	gauge(filledDesc, t.held.filled.Load())
	gauge(seriesDesc, series)
	gauge(bytesDesc, t.held.bytes.Load()+series*seriesBytes)
}
