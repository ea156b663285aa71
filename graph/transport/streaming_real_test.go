package transport_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/graph/transport"
)

// openLibrary starts a server on the network, whose numbers go on.
func openLibrary(t *testing.T, options ...func(*transport.Streaming)) *library {
	l := newLibrary(t, options...)
	server := httptest.NewServer(l.handler)
	l.url, l.client = server.URL, server.Client()
	t.Cleanup(func() {
		l.shutdown()
		server.Close()
	})
	l.count()
	return l
}

func TestConformanceOfEvents(t *testing.T) {
	t.Parallel()
	judge(t, "events.mjs", openLibrary(t).url)
}

func TestStreamOverHTTP2OutlivesItsDeadlinesOfWriting(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, func(s *transport.Streaming) { s.Stall, s.Idle = 300*time.Millisecond, 400*time.Millisecond })
	server := httptest.NewUnstartedServer(l.handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	l.url, l.client = server.URL, server.Client()
	t.Cleanup(func() {
		l.shutdown()
		server.Close()
	})
	e := l.listen("GET", "/?query=subscription%7Bnumbers%7D", "")
	if e.ProtoMajor != 2 {
		t.Fatalf("it is %s", e.Proto)
	}
	e.expect(":", ":")
}

func TestStreamsComeAndGoAndMissNothing(t *testing.T) {
	t.Parallel()
	l := openLibrary(t)
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			for last := int64(0); last < 300; {
				last = l.follow(t, last, 10+rand.Int64N(90))
			}
		})
		if i%4 == 0 {
			clients.Go(func() { l.meddle(t) })
		}
	}
	clients.Wait()
}

// follow listens to some numbers after the last one, which are to come in order, and leaves.
func (l *library) follow(t *testing.T, last, some int64) int64 {
	req, _ := http.NewRequestWithContext(t.Context(), "GET", l.url+"/?query=subscription%7Bnumbers%7D", nil)
	req.Header.Set("Accept", asEvents)
	req.Header.Set("Last-Event-ID", fmt.Sprint("n", last))
	resp, err := l.client.Do(req)
	if err != nil {
		t.Error(err)
		return 1 << 40
	}
	defer resp.Body.Close()
	e := newEvents(t, resp)
	for end := last + some; last < end; {
		got := e.read()
		if got == ":" {
			continue
		}
		last++
		if got != number(last) {
			t.Errorf("want %d, got %q", last, got)
			return 1 << 40
		}
	}
	return last
}

// meddle reserves a stream, and starts and stops operations in it.
func (l *library) meddle(t *testing.T) {
	ask := func(method, path, body string, header ...string) *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), method, l.url+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := l.client.Do(req)
		if err != nil {
			t.Error(err)
			return &http.Response{Body: http.NoBody}
		}
		return resp
	}
	token := make([]byte, 26)
	reserved := ask("PUT", "/", "")
	_, _ = reserved.Body.Read(token)
	reserved.Body.Close()
	stream := ask("GET", "/?token="+string(token), "", "Accept", asEvents)
	defer stream.Body.Close()
	var read sync.WaitGroup
	read.Go(func() {
		for e := newEvents(t, stream); e.read() != ""; {
		}
	})
	for i := range 100 {
		id := fmt.Sprint(i % 3)
		ask("POST", "/?token="+string(token), called(id, "subscription{numbers}")).Body.Close()
		if i%5 == 0 {
			time.Sleep(time.Duration(rand.Int64N(int64(3 * time.Millisecond))))
		}
		ask("DELETE", "/?token="+string(token)+"&operationId="+id, "").Body.Close()
	}
	stream.Body.Close()
	read.Wait()
}
