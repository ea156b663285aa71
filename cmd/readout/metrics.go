package main

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/readout-dev/readout/graph/transport"
)

// newRequestMetrics returns what measures the requests of a path.
func newRequestMetrics(reg prometheus.Registerer) func(path string, h http.Handler) http.Handler {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "readout_http_request_duration_seconds",
		Help:    "Time from a request's header to the end of its answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"path", "code", "method"})
	reg.MustRegister(took)
	return func(path string, h http.Handler) http.Handler {
		return promhttp.InstrumentHandlerDuration(took.MustCurryWith(prometheus.Labels{"path": path}), h)
	}
}

// socketMetrics counts what WebSockets do.
type socketMetrics struct {
	open, running prometheus.Gauge
	closed        *prometheus.CounterVec
	sent          prometheus.Counter
}

func newSocketMetrics(reg prometheus.Registerer) *socketMetrics {
	m := &socketMetrics{
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "readout_sockets_open", Help: "WebSockets that are open."}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "readout_socket_operations", Help: "Operations running over WebSockets."}),
		closed:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "readout_sockets_closed_total", Help: "WebSockets that were closed, by close code."}, []string{"code"}),
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "readout_socket_sent_bytes_total", Help: "Bytes of messages sent over WebSockets."}),
	}
	reg.MustRegister(m.open, m.running, m.closed, m.sent)
	return m
}

func (m *socketMetrics) hooks() transport.Hooks {
	return transport.Hooks{
		OnConnect:    m.open.Inc,
		OnDisconnect: func(code int) { m.open.Dec(); m.closed.WithLabelValues(closeCode(code)).Inc() },
		OnSubscribe:  m.running.Inc,
		OnComplete:   m.running.Dec,
		OnSend:       func(bytes int) { m.sent.Add(float64(bytes)) },
	}
}

// closeCode is the label of a close code; those that clients make up share one.
func closeCode(code int) string {
	if code >= 1000 && code <= 1015 || code >= 4400 && code <= 4429 {
		return strconv.Itoa(code)
	}
	return "other"
}
