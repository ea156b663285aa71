package main

import (
	"slices"
	"testing"
)

func TestWrongSettingsOfTheEdgeAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"nothing set":           {Config{}, ""},
		"all of it":             {Config{TLSCert: "c", TLSKey: "k", CORSOrigins: "https://a.example", TrustedProxies: "10.0.0.0/8", MetricsToken: "0123456789abcdef", LimitWrong: 1}, ""},
		"every origin":          {Config{CORSOrigins: "*"}, "READOUT_CORS_ORIGINS (--cors-origins)"},
		"everybody is a proxy":  {Config{TrustedProxies: "0.0.0.0/0"}, "READOUT_TRUSTED_PROXIES (--trusted-proxies)"},
		"a certificate alone":   {Config{TLSCert: "c"}, "READOUT_TLS_CERT (--tls-cert)"},
		"a key alone":           {Config{TLSKey: "k"}, "READOUT_TLS_CERT (--tls-cert)"},
		"a short token":         {Config{MetricsToken: "0123456789abcde"}, "READOUT_METRICS_TOKEN"},
		"a negative limit":      {Config{LimitWrong: -1}, "READOUT_LIMIT_WRONG (--limit-wrong)"},
		"a limit out of bounds": {Config{LimitQueries: maxLimit + 1}, "READOUT_LIMIT_QUERIES (--limit-queries)"},
	} {
		var got []string
		c.config.boundary(func(variable, _ string, _ ...any) { got = append(got, variable) })
		if c.want == "" && len(got) > 0 || c.want != "" && !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
