package main_test

import (
	"net/http"
	"testing"
)

func TestMetricsWantTheirTokenOnceThereIsOne(t *testing.T) {
	t.Parallel()
	const token = "scrape-3kV9wq2LrT7x"
	p := serveOn(t, "READOUT_METRICS_TOKEN_FILE="+secretFile(t, token))
	for given, want := range map[string]int{
		"": http.StatusUnauthorized, "Bearer ": http.StatusUnauthorized, "Bearer scrape-3kV9wq2LrT7y": http.StatusUnauthorized,
		"Basic " + token: http.StatusUnauthorized, "Bearer " + token: http.StatusOK,
	} {
		header := http.Header{}
		if given != "" {
			header.Set("Authorization", given)
		}
		resp, text := ask(t, http.MethodGet, p.url+"/metrics", "", header)
		if resp.StatusCode != want || want != http.StatusOK && resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("with %q: got %d %.200s, want %d", given, resp.StatusCode, text, want)
		}
	}
	if status, _, _ := get(t, p.url+"/livez"); status != http.StatusOK {
		t.Errorf("/livez: got %d", status)
	}
}
