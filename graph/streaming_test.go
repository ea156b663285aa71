package graph_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// stream is a client of one subscription to readings by Server-Sent Events.
type stream struct {
	*testing.T
	*http.Response
	lines *bufio.Scanner
	last  string // the id of the event that came last
}

// stream subscribes as somebody to all readings of our project, after the event of an id; empty: from now on.
func (w *world) stream(who, after string) *stream {
	w.t.Helper()
	query := fmt.Sprintf(`subscription { readings(project: %d, series: {}) { caughtUp readings { value } } }`, w.ours.project)
	header := http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer " + w.who[who]}}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	return w.request("GET", "?query="+url.QueryEscape(query), header)
}

func (w *world) request(method, path string, header http.Header) *stream {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return &stream{T: w.t, Response: resp, lines: bufio.NewScanner(resp.Body)}
}

// next returns the data of the next event; empty: there is none any more.
func (s *stream) next() (data string) {
	s.Helper()
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			s.last = value
		case "data":
			data = value
		case "":
			if data != "" {
				return data
			}
		}
	}
	return ""
}

// take returns the values of the next readings, so many.
func (s *stream) take(n int) (values []float64) {
	s.Helper()
	for len(values) < n {
		var e struct {
			Data struct{ Readings event }
		}
		data := s.next()
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			s.Fatalf("%v in %q", err, data)
		}
		values = append(values, e.Data.Readings.values()...)
	}
	return values
}

func TestStreamOfReadingsGoesOnAfterTheLastEvent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.stream("viewer", "")
	if got := s.next(); !strings.Contains(got, `"caughtUp":true`) {
		t.Fatalf("got %s", got)
	}
	w.send(w.ours.series, 1)
	w.send(w.ours.series, 2)
	if got := s.take(2); fmt.Sprint(got) != "[1 2]" {
		t.Errorf("got %v", got)
	}
	s.Body.Close()
	w.send(w.ours.series, 3)
	s = w.stream("viewer", s.last)
	w.send(w.ours.series, 4)
	if got := s.take(2); fmt.Sprint(got) != "[3 4]" {
		t.Errorf("got %v", got)
	}
	of := w.ask("owner", `{ subscribers(project: `+id(w.ours.project)+`) { transport sent user { id } } }`)
	if got := of.at("subscribers", 0, "transport"); got != "SSE" {
		t.Errorf("got %v", of)
	}
}

func TestStreamEndsWithTheRights(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"viewer":     func(w *world) { w.ask("owner", `mutation { deleteMember(id: `+id(w.ours.member)+`) }`) },
		"projectKey": func(w *world) { w.ask("owner", `mutation { deleteKey(id: `+id(w.keys["projectKey"])+`) }`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			s := w.stream(name, "")
			s.next()
			start := time.Now()
			end(w)
			if got := s.next(); !strings.Contains(got, "UNAUTHENTICATED") {
				t.Errorf("got %q", got)
			}
			if got := s.next(); got != "" {
				t.Errorf("after the end: got %q", got)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestReservedStreamBelongsToThePersonWhoReserved(t *testing.T) {
	t.Parallel()
	w := setup(t)
	as := func(who string) http.Header { return http.Header{"Authorization": {"Bearer " + w.who[who]}} }
	reserved := w.request("PUT", "", as("viewer"))
	if reserved.StatusCode != http.StatusCreated || !reserved.lines.Scan() {
		t.Fatalf("got %+v", reserved.Response)
	}
	for who, want := range map[string]int{"editor": http.StatusNotFound, "nobody": http.StatusUnauthorized, "viewer": http.StatusOK} {
		header := as(who)
		header.Set("Accept", "text/event-stream")
		if got := w.request("GET", "?token="+reserved.lines.Text(), header); got.StatusCode != want {
			t.Errorf("%s: want %d, got %+v", who, want, got.Response)
		}
	}
}
