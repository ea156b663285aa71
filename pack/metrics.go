package pack

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/store"
)

// metrics counts what a Packer does.
type metrics struct {
	readings prometheus.Counter
	rows     *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	failures prometheus.Counter
}

// What rows are counted as.
var kinds = struct{ young, chunk, day, hour string }{"young_", "chunk", "rollup_day", "rollup_hour"}

// newMetrics registers the metrics with reg, unless it is nil; unpacked tells how many readings wait, age for how many
// seconds the oldest of them has waited.
func newMetrics(reg prometheus.Registerer, unpacked, age func() float64) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "readout", Subsystem: "pack", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
	}
	m := &metrics{
		readings: counter("readings_total", "Readings that were packed from the journal."),
		failures: counter("failures_total", "Times that packing or settling failed and was put off."),
		rows:     prometheus.NewCounterVec(prometheus.CounterOpts(opts("rows_total", "Rows that were written.")), []string{"kind"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts(opts("bytes_total", "Bytes of packed readings and sketches that were written.")),
			[]string{"kind"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "readout", Subsystem: "pack", Name: "seconds", Help: "Time that a transaction of packing took.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}, []string{"step"}),
	}
	if reg != nil {
		reg.MustRegister(m.readings, m.failures, m.rows, m.bytes, m.seconds,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("unpacked_readings", "Readings that wait to be packed, of the projects followed.")), unpacked),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("unpacked_age_seconds", "How long the oldest of them has waited.")), age))
	}
	return m
}

func (m *metrics) wrote(kind string, rows, bytes int) {
	if rows > 0 {
		m.rows.WithLabelValues(kind).Add(float64(rows))
		m.bytes.WithLabelValues(kind).Add(float64(bytes))
	}
}

func (m *metrics) wroteYoung(rows []store.YoungRow) {
	var count, size [3]int
	for i := range rows {
		count[rows[i].Tier]++
		size[rows[i].Tier] += len(rows[i].Payload)
	}
	for tier := range count {
		m.wrote(kinds.young+string(rune('0'+tier)), count[tier], size[tier])
	}
}

func (m *metrics) wroteChunks(o *output) {
	m.wrote(kinds.chunk, len(o.chunks), len(o.payloads))
	m.wrote(kinds.day, len(o.days), sketchBytes(o.days))
	m.wrote(kinds.hour, len(o.hours), sketchBytes(o.hours))
}

func sketchBytes(rows []store.Rollup) (n int) {
	for i := range rows {
		n += len(rows[i].Sketch)
	}
	return n
}
