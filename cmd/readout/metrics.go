package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/journal"
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
	lag           prometheus.Histogram
}

func newSocketMetrics(reg prometheus.Registerer) *socketMetrics {
	m := &socketMetrics{
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "readout_sockets_open", Help: "WebSockets that are open."}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "readout_socket_operations", Help: "Operations running over WebSockets."}),
		closed:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "readout_sockets_closed_total", Help: "WebSockets that were closed, by close code."}, []string{"code"}),
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "readout_socket_sent_bytes_total", Help: "Bytes of messages sent over WebSockets."}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "readout_live_lag_seconds", Help: "Time from the commit of what an answer of a subscription tells until it was sent to all who share it.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60},
		}),
	}
	reg.MustRegister(m.open, m.running, m.closed, m.sent, m.lag)
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

// answered is told when what an answer of a subscription tells was committed.
func (m *socketMetrics) answered(committed, _ time.Time) {
	if !committed.IsZero() {
		m.lag.Observe(max(time.Since(committed).Seconds(), 0)) // by two clocks, where the database has its own
	}
}

// measureSubscriptions registers what is subscribed to.
func measureSubscriptions(reg prometheus.Registerer, h *graph.Handler) {
	s := h.Subscriptions()
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	counter := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
	}
	gauge("readout_subscriptions", "Subscriptions that are open, over all transports.", func() float64 {
		subscribers, _ := s.Counts()
		return float64(subscribers)
	})
	gauge("readout_subscription_feeds", "Executions that subscriptions share.", func() float64 {
		_, feeds := s.Counts()
		return float64(feeds)
	})
	gauge("readout_streams_open", "Responses that go on: Server-Sent Events and multipart.", func() float64 { return float64(h.Streams().Open()) })
	counter("readout_subscription_answers_total", "Answers that were made for all who share an execution; what only one was sent is not among them.", func() float64 {
		published, _ := s.Counters()
		return float64(published)
	})
	counter("readout_subscription_overruns_total", "Times that a subscriber lagged too far behind to go on without a gap or a reading from the journal.", func() float64 {
		_, overruns := s.Counters()
		return float64(overruns)
	})
	countGaps(reg, s, gql.LagPolicyCoalesce)
	countGaps(reg, s, gql.LagPolicyGap)
}

// countGaps registers how often a policy has left something out.
func countGaps(reg prometheus.Registerer, s *transport.Subscriptions, policy gql.LagPolicy) {
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "readout_subscription_gaps_total", Help: "Gaps that were sent to subscribers who lagged, by their policy.",
		ConstLabels: prometheus.Labels{"policy": string(policy)},
	}, func() float64 { return float64(s.Gaps(string(policy))) }))
}

// measureWatermark registers for how long subscriptions and queries here have not had something that was committed.
func measureWatermark(reg prometheus.Registerer, f *journal.Follower) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "readout_watermark_age_seconds",
		Help: "For how long something has been known to be committed that subscriptions and queries here do not have; 0: they have all.",
	}, func() float64 { return f.Behind().Seconds() }))
}

// closeCode is the label of a close code; those that clients make up share one.
func closeCode(code int) string {
	if code >= 1000 && code <= 1015 || code >= 4400 && code <= 4429 {
		return strconv.Itoa(code)
	}
	return "other"
}
