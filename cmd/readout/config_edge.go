package main

import (
	"crypto/tls"
	"log/slog"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/edge"
	"github.com/readout-dev/readout/internal/fault"
)

// boundary is what the configuration says of the network before the server.
type boundary struct {
	origins edge.Origins
	proxies edge.Proxies
}

// boundary reads it; it tells wrong of each setting that is.
func (c *Config) boundary(wrong func(variable, format string, args ...any)) (b boundary) {
	var err error
	if b.origins, err = edge.ParseOrigins(c.CORSOrigins); err != nil {
		wrong("READOUT_CORS_ORIGINS (--cors-origins)", "%w", err)
	}
	if b.proxies, err = edge.ParseProxies(c.TrustedProxies); err != nil {
		wrong("READOUT_TRUSTED_PROXIES (--trusted-proxies)", "%w", err)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		wrong("READOUT_TLS_CERT (--tls-cert)", "goes with READOUT_TLS_KEY (--tls-key): set both or neither")
	}
	if n := len(c.MetricsToken); n > 0 && n < minMetricsToken {
		wrong("READOUT_METRICS_TOKEN", "has %d bytes or more", minMetricsToken)
	}
	for _, l := range []struct {
		variable string
		n        int
	}{
		{"READOUT_LIMIT_WRONG (--limit-wrong)", c.LimitWrong},
		{"READOUT_LIMIT_REQUESTS (--limit-requests)", c.LimitRequests},
		{"READOUT_LIMIT_READINGS (--limit-readings)", c.LimitReadings},
		{"READOUT_LIMIT_QUERIES (--limit-queries)", c.LimitQueries},
	} {
		if l.n < 0 || l.n > maxLimit {
			wrong(l.variable, "is between 0, which is no limit, and %d", maxLimit)
		}
	}
	return b
}

// tlsConfig returns what TLS is spoken with; nil: plain HTTP. Fault: Invalid, for files that are not fit for it.
func (c Config) tlsConfig(log *slog.Logger) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	certificate, err := edge.LoadCertificate(c.TLSCert, c.TLSKey, log)
	if err != nil {
		return nil, fault.New(fault.Invalid, "READOUT_TLS_CERT and READOUT_TLS_KEY: %s", err)
	}
	return certificate.Config(), nil
}

// maxLimit is the highest limit that can be set.
const maxLimit = 1_000_000_000

func (c Config) ingestLimits() ingest.Limits {
	return ingest.Limits{Requests: auth.NewRate(c.LimitRequests), Readings: auth.NewRate(c.LimitReadings)}
}

// checked drops what Validate has found already.
func checked(string, string, ...any) {}
