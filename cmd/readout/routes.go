package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/export"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/edge"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/web"
)

// doors are the handlers that routes lead to, and what stands before them.
type doors struct {
	readings      *ingest.Readings
	export        *export.Handler
	statistics    *export.Statistics
	authenticator *auth.Authenticator
	tokens        *auth.Tokens
	registry      *prometheus.Registry
	edge          boundary
}

// route is a path, and who answers there.
type route struct {
	path    string // a pattern of http.ServeMux without a method
	handler http.Handler
	methods []string // nil: the handler says which
}

// routes is the table of all paths.
func (s *server) routes(d doors) []route {
	rest := func(h func(http.ResponseWriter, *http.Request) error) http.Handler {
		return problem.Handler(s.log, func(w http.ResponseWriter, r *http.Request) error { return store.Fault(h(w, r)) })
	}
	get, post, look := []string{http.MethodGet}, []string{http.MethodPost}, []string{http.MethodGet, http.MethodHead}

	table := []route{
		{"/v1/readings", rest(withKey(d.authenticator, d.readings.Serve)), post},
		{"/v1/export", rest(withKey(d.authenticator, d.export.Serve)), get},
		{"/v1/export/statistics", rest(withKey(d.authenticator, d.statistics.Serve)), get},
		{"/.well-known/jwks.json", rest(d.tokens.ServeJWKS), look},
		{"/graphql", s.graph, nil},
		{"/playground", web.Playground(), nil},
		{"/playground/", web.Playground(), nil},
		{"/livez", rest(live200), look},
		{"/readyz", rest(s.ready), look},
		{"/metrics", rest(withToken(s.cfg.MetricsToken, promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{}))), get},
		{"/{$}", http.RedirectHandler("/playground", http.StatusFound), look},
		{"/", rest(func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.NotFound, "there is nothing at this path")
		}), nil},
	}
	for _, a := range s.accounts.Routes() {
		table = append(table, route{a.Path, rest(a.Serve), a.Methods})
	}
	if box, ok := s.mail.(http.Handler); ok { // the demo's, which is sent nowhere
		table = append(table, route{"/dev/mail", box, get})
	}
	return table
}

// handler serves the routes, measured and logged.
func (s *server) handler(d doors) http.Handler {
	mux, measured := http.NewServeMux(), newRequestMetrics(d.registry)
	for _, r := range s.routes(d) {
		h := r.handler
		if len(r.methods) > 0 {
			h = problem.Methods(h, r.methods...)
		}
		mux.Handle(r.path, measured(r.path, h))
	}
	open := d.edge.origins.CORS(mux, "/graphql", "/v1/", "/auth/", "/.well-known/jwks.json")
	return problem.WithRequestID(d.edge.proxies.ClientAddress(logged(s.log, edge.Headers(open))))
}

// withKey authenticates the request before h; h decides whom it serves.
func withKey(a *auth.Authenticator, h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, err := a.Request(r)
		if err != nil {
			return err
		}
		return h(w, r.WithContext(ctx))
	}
}

// live200 says that the process answers.
func live200(w http.ResponseWriter, _ *http.Request) error { return status(w, "live", "") }

// ready says whether requests can be served: the database answers and keeps what it says it keeps.
func (s *server) ready(w http.ResponseWriter, r *http.Request) error {
	if s.stopping.Load() {
		return fault.New(fault.Unavailable, "the server is stopping").After(time.Second)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	degraded, err := store.Durable(ctx, s.database.pool)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the database does not answer").After(time.Second)
	}
	return status(w, "ready", degraded)
}

func status(w http.ResponseWriter, status, degraded string) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(struct {
		Status   string `json:"status"`
		Degraded string `json:"degraded,omitempty"`
	}{status, degraded})
}

// logged writes a line for each request at level debug, with its id and without its query, which may hold anything.
func logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		next.ServeHTTP(w, r)
		log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "from", r.RemoteAddr,
			"took", time.Since(start).String(), "request_id", problem.RequestID(r.Context()))
	})
}
