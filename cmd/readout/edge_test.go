package main_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/testdb"
)

// serveOn starts a server on a database of its own.
func serveOn(t *testing.T, variables ...string) *program {
	t.Helper()
	return serve(t, "127.0.0.1:0", "/nonexistent", append([]string{
		"READOUT_DATABASE_URL=" + testdb.URL(t), "READOUT_JWT_SECRET=4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa",
	}, variables...)...)
}

// ask sends a request and returns the answer, its body read.
func ask(t *testing.T, method, url, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := http.DefaultTransport.RoundTrip(r) // follows nothing
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// opened reports whether a socket opens for a page of an origin.
func opened(t *testing.T, url, origin string) bool {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/graphql", http.Header{"Origin": {origin}})
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func TestEveryAnswerTellsBrowsersWhatTheyNeed(t *testing.T) {
	t.Parallel()
	p := serveOn(t)
	for path, public := range map[string]bool{
		"/": false, "/nowhere": false, "/livez": false, "/readyz": false, "/metrics": false, "/graphql": false, "/v1/readings": false, "/v1/export": false,
		"/auth/me": false, "/auth/link": true, "/auth/link.js": true, "/playground": true, "/playground/playground.js": true, "/.well-known/jwks.json": true,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			resp, _ := ask(t, method, p.url+path, "", http.Header{})
			h := resp.Header
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
				!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
				h.Get("Strict-Transport-Security") != "" || h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %d has the headers %v", method, path, resp.StatusCode, h)
			}
			if !public && h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d may be kept: %q", method, path, resp.StatusCode, h.Get("Cache-Control"))
			}
		}
	}
}

func TestPagesOfListedOriginsAloneMayCall(t *testing.T) {
	t.Parallel()
	const listed, other = "https://app.example.com", "https://evil.example.com"
	p := serveOn(t, "READOUT_CORS_ORIGINS="+listed)
	token := login(t, p.url, "ada@example.org", true, "correct horse 42 staple")
	for origin, want := range map[string]string{listed: listed, other: ""} {
		for _, path := range []string{"/graphql", "/v1/readings", "/auth/login"} {
			resp, _ := ask(t, http.MethodOptions, p.url+path, "", http.Header{
				"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
			})
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || resp.StatusCode != http.StatusNoContent {
				t.Errorf("preflight of %s from %s: got %d, allowed %q, want %q", path, origin, resp.StatusCode, got, want)
			}
		}
		resp, text := ask(t, http.MethodPost, p.url+"/graphql", `{"query": "{ me { email } }"}`, http.Header{
			"Origin": {origin}, "Authorization": {"Bearer " + token}, "Content-Type": {"application/json"},
		})
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || !strings.Contains(text, "ada@") {
			t.Errorf("a query from %s: got %s, allowed %q, want %q", origin, text, got, want)
		}
		resp, text = ask(t, http.MethodGet, p.url+"/graphql?query="+url.QueryEscape("{ me { email } }"), "", http.Header{
			"Origin": {origin}, "Authorization": {"Bearer " + token}, "Accept": {"text/event-stream"},
		})
		if (resp.StatusCode == http.StatusOK) != (want != "") || strings.Contains(text, "ada@") != (want != "") {
			t.Errorf("a stream from %s: got %d %s", origin, resp.StatusCode, text)
		}
		if opened(t, p.url, origin) != (want != "") {
			t.Errorf("a socket from %s opens: %v", origin, want == "")
		}
		if resp, _ := ask(t, http.MethodGet, p.url+"/metrics", "", http.Header{"Origin": {origin}}); resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("pages of %s may read the metrics", origin)
		}
	}
	if !opened(t, p.url, p.url) {
		t.Error("a socket from our own origin does not open")
	}
}
