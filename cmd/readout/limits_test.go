package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/readout-dev/readout/auth"
)

// limited is a server with low limits behind a trusted proxy, and the keys of two projects.
type limited struct {
	*program
	t    *testing.T
	dir  string
	keys []string
}

func newLimited(t *testing.T) *limited {
	t.Helper()
	l := &limited{t: t, dir: dataDir(t)}
	l.program = serve(t, "127.0.0.1:0", l.dir, "READOUT_TRUSTED_PROXIES=127.0.0.0/8", "READOUT_LIMIT_WRONG=20",
		"READOUT_LIMIT_REQUESTS=1", "READOUT_LIMIT_READINGS=100", "READOUT_LIMIT_QUERIES=10")
	readout(t, "user", "create", "a@example.org", "--generate", "--data-dir", l.dir)
	for _, name := range []string{"P", "Q"} {
		project := field(t, readout(t, "project", "create", name, "--owner", "a@example.org", "--data-dir", l.dir), "project")
		for range 2 {
			l.keys = append(l.keys, field(t, readout(t, "key", "create", "--project", project, "--scopes", "ingest,read", "--data-dir", l.dir), "secret"))
		}
	}
	return l
}

// send posts a body by a proxy, for a client at an address, and returns the status. Whoever is told to wait is told for how long, in the
// form of the door.
func (l *limited) send(path, from, key, body, accept string) int {
	l.t.Helper()
	resp, text := ask(l.t, http.MethodPost, l.url+path, body, http.Header{
		"Authorization": {"Bearer " + key}, "X-Forwarded-For": {"127.0.0.1, " + from}, "Content-Type": {"application/json"}, "Accept": {accept},
	})
	if resp.StatusCode == http.StatusTooManyRequests {
		wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		want, media := `"code":"TOO_MANY_REQUESTS"`, ""
		if path != "/graphql" {
			want, media = `"code":"too_many"`, "application/problem+json"
		}
		if err != nil || wait < 1 || !strings.Contains(text, want) || !strings.HasPrefix(resp.Header.Get("Content-Type"), media) {
			l.t.Errorf("%s: told to wait by %v %s", path, resp.Header, text)
		}
	}
	if resp.StatusCode == http.StatusBadRequest {
		l.t.Errorf("%s: %s", path, text)
	}
	return resp.StatusCode
}

// passed sends a request n times and returns how many were taken before the first that was not, which is to be 429.
func (l *limited) passed(n int, send func(i int) int) (taken int) {
	l.t.Helper()
	for i := range n {
		switch status := send(i); status {
		case http.StatusTooManyRequests:
			return taken
		case http.StatusOK, http.StatusUnauthorized:
			taken++
		default:
			l.t.Fatalf("request %d: got %d", i, status)
		}
	}
	l.t.Errorf("all of %d were taken", n)
	return taken
}

func TestLimitsHoldForEachAddressKeyAndProject(t *testing.T) {
	t.Parallel()
	l := newLimited(t)
	const plain, strict = "application/json", "application/graphql-response+json"
	reading := func(i int) string { return fmt.Sprintf(`{"device": "d", "values": {"m": %d}}`, i) }
	key, sibling, foreign, batch := l.keys[0], l.keys[1], l.keys[2], l.keys[3]

	if got := l.passed(100, func(i int) int { return l.send("/v1/readings", "198.51.100.1", key, reading(i), plain) }); got < 60 || got > 80 {
		t.Errorf("%d requests of a key passed, want those of a minute: 60", got)
	}
	if status := l.send("/v1/readings", "198.51.100.1", sibling, reading(0), plain); status != http.StatusOK {
		t.Errorf("another key at that address: got %d", status)
	}

	many := "[" + strings.Repeat(`{"device": "d", "metric": "m", "value": 1},`, 3999) + `{"device": "d", "metric": "m", "value": 1}]`
	if got := l.passed(10, func(int) int { return l.send("/v1/readings", "198.51.100.1", batch, many, plain) }); got != 2 {
		t.Errorf("%d batches of 4,000 readings passed, want 2: 6,000 and what is overdrawn", got)
	}

	query := `{"query": "{ projects(first: 1) { edges { node { name } } } }"}`
	if got := l.passed(200, func(int) int { return l.send("/graphql", "198.51.100.1", sibling, query, strict) }); got < 20 || got > 60 {
		t.Errorf("%d queries passed, want those of a minute: below 60", got)
	}
	if status := l.send("/graphql", "198.51.100.1", foreign, query, strict); status != http.StatusOK {
		t.Errorf("a query of another project: got %d", status)
	}

	for _, path := range []string{"/v1/readings", "/graphql"} {
		attacker := "198.51.100." + strconv.Itoa(100+len(path))
		got := l.passed(100, func(int) int { return l.send(path, attacker, auth.GenerateKey(auth.DeviceKey).Secret, query, strict) })
		if got < 20 || got > 40 {
			t.Errorf("%s: %d wrong keys were answered, want 20", path, got)
		}
		if status := l.send(path, "203.0.113.9", "rd_dev_wrong", query, strict); status != http.StatusUnauthorized {
			t.Errorf("%s: a wrong key of another address: got %d, want 401", path, status)
		}
		if status := l.send("/graphql", attacker, foreign, query, strict); status != http.StatusOK {
			t.Errorf("%s: a right key at that address: got %d", path, status)
		}
	}
}
