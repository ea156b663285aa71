package edge_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/edge"
)

func TestParseOriginsTakesExactOriginsAlone(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{
		"":                         nil,
		" , ":                      nil,
		"https://app.example.com":  {"https://app.example.com"},
		"https://App.Example:443":  {"https://app.example"},
		"http://a:80,http://b:443": {"http://a", "http://b:443"},
		"http://localhost:5173, https://[2001:db8::1]:8443": {"http://localhost:5173", "https://[2001:db8::1]:8443"},
	} {
		if got, err := edge.ParseOrigins(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseOrigins(%q) = %q, %v; want %q", list, got, err, want)
		}
	}
	for _, list := range []string{
		"*", "null", "app.example.com", "https://", "https://*.example.com", "https://app.example.com/", "https://app.example.com/x",
		"https://app.example.com?x", "https://u@app.example.com", "ftp://app.example.com", "https://a b", "https://a, *",
	} {
		if got, err := edge.ParseOrigins(list); err == nil {
			t.Errorf("ParseOrigins(%q) = %q, want an error", list, got)
		}
	}
}

func TestCORSLetsTheListedOriginsCallTheOpenPaths(t *testing.T) {
	t.Parallel()
	origins, err := edge.ParseOrigins("https://app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := origins.CORS(reached, "/graphql", "/v1/")
	for _, c := range []struct {
		method, path, origin string
		status               int
		allowed              bool
	}{
		{"OPTIONS", "/graphql", "https://app.example.com", 204, true},
		{"OPTIONS", "/v1/readings", "https://app.example.com", 204, true},
		{"POST", "/v1/readings", "https://app.example.com", 418, true},
		{"GET", "/graphql", "https://app.example.com", 418, true},
		{"OPTIONS", "/graphql", "https://app.example.com.evil.org", 204, false},
		{"OPTIONS", "/graphql", "http://app.example.com", 204, false},
		{"POST", "/graphql", "null", 418, false},
		{"POST", "/graphql", "", 418, false},
		{"GET", "/metrics", "https://app.example.com", 418, false},
		{"OPTIONS", "/graphql2", "https://app.example.com", 418, false},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.method == "OPTIONS" {
			r.Header.Set("Access-Control-Request-Method", "POST")
			r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header()
		if w.Code != c.status || (got.Get("Access-Control-Allow-Origin") == c.origin && c.origin != "") != c.allowed {
			t.Errorf("%s %s from %q: got %d %v", c.method, c.path, c.origin, w.Code, got)
		}
		if got.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s from %q: cookies are allowed", c.method, c.path, c.origin)
		}
		if c.method == "OPTIONS" && c.allowed && !strings.Contains(got.Get("Access-Control-Allow-Headers"), "authorization") {
			t.Errorf("preflight of %s: got %v", c.path, got)
		}
		if c.allowed != origins.Allow(r) && c.path != "/metrics" && c.path != "/graphql2" {
			t.Errorf("Allow of %q = %v", c.origin, !c.allowed)
		}
	}
}

func TestAllowRefusesTwoOrigins(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Origin"] = []string{"https://app.example.com", "https://app.example.com"}
	if (edge.Origins{"https://app.example.com"}).Allow(r) {
		t.Error("a request with two origins is allowed")
	}
}
