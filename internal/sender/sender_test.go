package sender

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// script is a server without a network, for tests with a clock of their own: it answers each request by the next of its
// answers, and the last one for ever. An empty status is a broken connection.
type script struct {
	answers []answer
	bodies  []string
	times   []time.Duration // since the first request
	first   time.Time
}

type answer struct {
	status      int
	body, retry string
}

const ack = `{"accepted":2,"late":1,"offset":917}`

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	if len(s.bodies) == 0 {
		s.first = time.Now()
	}
	s.bodies, s.times = append(s.bodies, string(body)), append(s.times, time.Since(s.first))
	a := s.answers[min(len(s.bodies), len(s.answers))-1]
	if a.status == 0 {
		return nil, errors.New("connection reset by peer")
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	if a.status != 200 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	if a.retry != "" {
		w.Header().Set("Retry-After", a.retry)
	}
	w.WriteHeader(a.status)
	_, _ = w.WriteString(a.body)
	return w.Result(), nil
}

func (s *script) sender() *Sender {
	return &Sender{URL: "http://readout.test", Key: "rd_test", HTTP: &http.Client{Transport: s}}
}

const full = `{"title":"Too Many Requests","status":429,"code":"too_many","detail":"the queue is full"}`

func TestSendWaitsAsLongAsTheServerAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 429, retry: "7", body: full}, {status: 503, retry: "20"}, {status: 200, body: ack}}}
		snd := s.sender()
		var told []Retry
		snd.OnRetry = func(r Retry) { told = append(told, r) }
		got, err := snd.Send(t.Context(), []byte("{}"))
		if err != nil || got != (Ack{Accepted: 2, Late: 1, Offset: 917}) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if len(s.times) != 3 || s.times[1] != 7*time.Second || s.times[2] != 27*time.Second {
			t.Errorf("requests at %v", s.times)
		}
		if len(told) != 2 || !fault.Is(told[0].Err, fault.TooMany) || told[0].Wait != 7*time.Second || !fault.Is(told[1].Err, fault.Unavailable) {
			t.Errorf("told of %+v", told)
		}
	})
}

func TestSendWaitsUntilTheDateOfRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)
		s := &script{answers: []answer{{status: 503, retry: at}, {status: 200, body: ack}}}
		if _, err := s.sender().Send(t.Context(), nil); err != nil || s.times[1] != 30*time.Second {
			t.Errorf("requests at %v, %v", s.times, err)
		}
	})
}

func TestSendRepeatsTheSameBodyAfterBrokenConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{}, {}, {status: 502}, {status: 504}, {}, {status: 200, body: ack}}}
		if got, err := s.sender().Send(t.Context(), []byte(`{"metric":"m"}`)); err != nil || got.Offset != 917 {
			t.Fatalf("got %+v, %v", got, err)
		}
		for i, body := range s.bodies {
			if body != `{"metric":"m"}` {
				t.Errorf("body %d is %q", i, body)
			}
		}
		for i := 1; i < len(s.times); i++ {
			wait, longest := s.times[i]-s.times[i-1], 100*time.Millisecond<<i
			if wait < longest/2 || wait > longest {
				t.Errorf("wait %d is %v", i, wait)
			}
		}
	})
}

func TestSendLosesPatience(t *testing.T) {
	t.Parallel()
	f := func(patience, least, most time.Duration, code fault.Code, a answer) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []answer{a}}
			snd := s.sender()
			snd.Patience = patience
			began := time.Now()
			_, err := snd.Send(t.Context(), nil)
			if took := time.Since(began); !fault.Is(err, code) || took < least || took > most {
				t.Errorf("%v after %v and %d tries", err, took, len(s.times))
			}
		})
	}
	f(0, 105*time.Second, 2*time.Minute, fault.Unavailable, answer{})
	f(time.Hour, 59*time.Minute, time.Hour, fault.Unavailable, answer{})
	f(-1, 0, 0, fault.Unavailable, answer{})
	f(time.Minute, 0, 0, fault.TooMany, answer{status: 429, retry: "61", body: full})
	f(time.Minute, 0, 0, fault.TooMany, answer{status: 429, retry: "99999999999", body: full})
	f(time.Minute, 60*time.Second, 60*time.Second, fault.TooMany, answer{status: 429, retry: "60", body: full})
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 503, retry: "60"}}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := s.sender().Send(ctx, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestSendSaysWhatTheServerRefused(t *testing.T) {
	t.Parallel()
	f := func(a answer, code fault.Code, parts ...string) {
		t.Helper()
		s := &script{answers: []answer{a}}
		_, err := s.sender().Send(t.Context(), nil)
		if !fault.Is(err, code) || len(s.bodies) != 1 {
			t.Errorf("%d: got %v after %d tries", a.status, err, len(s.bodies))
			return
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%d: %q lacks %q", a.status, err, part)
			}
		}
	}
	f(answer{status: 422, body: `{"code":"time_invalid","detail":"a time must be a time","index":3,"requestId":"ABC"}`},
		fault.TimeInvalid, "a time must be a time", "item 3", "request ABC", "422")
	f(answer{status: 401, body: `{"code":"unauthenticated","detail":"no valid credential"}`}, fault.Unauthenticated)
	f(answer{status: 401, body: `<html>`}, fault.Unauthenticated, "check the URL")
	f(answer{status: 404, body: `404 page not found`}, fault.NotFound, "check the URL")
	f(answer{status: 302}, fault.BadRequest, "check the URL")
	f(answer{status: 500, body: `{}`}, fault.Internal)
	f(answer{status: 200, body: `<html>welcome</html>`}, fault.Internal, "not Readout's")
	f(answer{status: 200, body: `{}`}, fault.Internal, "not Readout's")

	s := &script{answers: []answer{{status: 422, body: `{"code":"invalid","detail":"x","index":0}`}}}
	_, err := s.sender().Send(t.Context(), nil)
	if got := fault.Of(err); got.Index == nil || *got.Index != 0 {
		t.Errorf("the index is lost: %+v", got)
	}
}

func TestSendRefusesWhatCannotBeSentTo(t *testing.T) {
	t.Parallel()
	f := func(url, key string) {
		t.Helper()
		s := &script{answers: []answer{{status: 200, body: ack}}}
		snd := s.sender()
		snd.URL, snd.Key = url, key
		if _, err := snd.Send(t.Context(), nil); !fault.Is(err, fault.Invalid) || len(s.bodies) > 0 || !fault.Is(snd.Check(), fault.Invalid) {
			t.Errorf("%q, %q: %v", url, key, err)
		}
	}
	f("", "k")
	f("127.0.0.1:8080", "k")
	f("readout.test", "k")
	f("ftp://readout.test", "k")
	f("http://readout.test?x=1", "k")
	f("http://readout.test", "a\r\nHost: b")
	f("http://readout.test", "ключ")
}

// A real server: headers, query, compression, a connection that breaks in the middle of the ack.
func TestSendSpeaksHTTP(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		text, _ := io.ReadAll(body)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintln(r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(text)))
		if len(seen) == 1 {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, `{"accepted":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, ack)
	}))
	defer server.Close()
	for _, zip := range []bool{false, true} {
		s := &Sender{URL: server.URL + "/behind/", Key: "rd_k", Gzip: zip}
		if got, err := s.Send(t.Context(), []byte(`[]`)); err != nil || got.Accepted != 2 || s.Check() != nil {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if len(seen) != 3 {
		t.Fatalf("%d requests: %q", len(seen), seen)
	}
	for _, got := range seen {
		if want := "POST /behind/v1/readings?precision=us Bearer rd_k application/json []\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSendFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer server.Close()
	_, err := (&Sender{URL: server.URL, Key: "k"}).Send(t.Context(), nil)
	if !fault.Is(err, fault.BadRequest) || !strings.Contains(err.Error(), "302") {
		t.Errorf("got %v", err)
	}
}

func TestSendDoesNotRetryWhatTLSRefuses(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, url := range []string{secure.URL, strings.Replace(plain.URL, "http:", "https:", 1)} {
		if _, err := (&Sender{URL: url, Key: "k"}).Send(t.Context(), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
