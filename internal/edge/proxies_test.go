package edge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/readout-dev/readout/internal/edge"
)

func TestParseProxiesNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if got, err := edge.ParseProxies(" 10.0.0.0/8, 192.0.2.1,::1 , 2001:db8::/32,"); err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, list := range []string{"0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy.example.com", "10.0.0.0/33", "::ffff:10.0.0.0/104", "fe80::1%eth0"} {
		if got, err := edge.ParseProxies(list); err == nil {
			t.Errorf("ParseProxies(%q) = %v, want an error", list, got)
		}
	}
}

func TestTheClientIsTheLastAddressThatIsNoProxy(t *testing.T) {
	t.Parallel()
	const stranger, proxy = "203.0.113.9:4000", "10.1.2.3:5000"
	for _, c := range []struct {
		trusted, peer string
		headers       []string
		want          string
	}{
		{"", proxy, []string{"198.51.100.7"}, proxy},
		{"10.0.0.0/8", stranger, []string{"127.0.0.1"}, stranger}, // who is no proxy says nothing
		{"10.0.0.0/8", proxy, nil, proxy},
		{"10.0.0.0/8", proxy, []string{""}, proxy},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7"}, "198.51.100.7:0"},
		{"10.0.0.0/8", proxy, []string{"127.0.0.1, 198.51.100.7"}, "198.51.100.7:0"}, // the first was the client's own word
		{"10.0.0.0/8", proxy, []string{"127.0.0.1", "198.51.100.7"}, "198.51.100.7:0"},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7, 10.9.9.9"}, "198.51.100.7:0"},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7", "10.9.9.9"}, "198.51.100.7:0"},
		{"10.0.0.0/8", proxy, []string{"10.7.7.7, 10.9.9.9"}, "10.7.7.7:0"},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7, nonsense"}, proxy},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7, , 10.9.9.9"}, "10.9.9.9:0"},
		{"10.0.0.0/8", proxy, []string{"198.51.100.7:4711"}, "198.51.100.7:0"},
		{"10.0.0.0/8", proxy, []string{"[2001:db8::7]:4711"}, "[2001:db8::7]:0"},
		{"10.0.0.0/8", proxy, []string{"[2001:db8::7]"}, "[2001:db8::7]:0"},
		{"10.0.0.0/8", proxy, []string{"::ffff:198.51.100.7"}, "198.51.100.7:0"},
		{"10.0.0.0/8", "[::ffff:10.1.2.3]:5000", []string{"198.51.100.7"}, "198.51.100.7:0"},
		{"::1", "[::1]:5000", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		{"10.0.0.0/8", "@", []string{"198.51.100.7"}, "@"}, // of a socket without an address
	} {
		trusted, err := edge.ParseProxies(c.trusted)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.headers
		r.Header.Set("Forwarded", "for=192.0.2.66")
		r.Header.Set("X-Real-IP", "192.0.2.66")
		got := ""
		trusted.ClientAddress(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want || r.RemoteAddr != c.peer {
			t.Errorf("%s by %s, trusting %q: got %s, want %s", c.headers, c.peer, c.trusted, got, c.want)
		}
	}
}
