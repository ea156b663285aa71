package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// wire is one HTTP connection that posts readings. The clients share the machine with what they measure, and net/http's
// would take as much of it as the server does.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	head []byte // of every request, up to the number of its bytes
	out  []byte
}

// reply is what a server said to a request.
type reply struct {
	status     int
	retryAfter string
	body       []byte // valid until the next post
}

func (b *bed) dial(ctx context.Context) (*wire, error) {
	u, err := url.Parse(b.url)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, "POST /v1/readings HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: ", u.Host, b.key)
	return &wire{conn: conn, in: bufio.NewReader(conn), head: head}, nil
}

func (w *wire) close() { _ = w.conn.Close() }

// post sends a body and reads the answer, which must say its length.
func (w *wire) post(body []byte) (r reply, err error) {
	w.out = append(w.out[:0], w.head...)
	w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
	w.out = append(append(w.out, "\r\n\r\n"...), body...)
	if _, err := w.conn.Write(w.out); err != nil {
		return r, err
	}
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return r, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return r, fmt.Errorf("not an answer: %q", line)
	}
	if r.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return r, err
	}
	length := -1
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return r, err
		}
		name, value, header := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch {
		case len(name) == 0 && !header:
			return w.readBody(r, length)
		case strings.EqualFold(string(name), "Content-Length"):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return r, err
			}
		case strings.EqualFold(string(name), "Retry-After"):
			r.retryAfter = string(value)
		}
	}
}

func (w *wire) readBody(r reply, length int) (reply, error) {
	if length < 0 {
		return r, errors.New("the answer does not say its length")
	}
	r.body = make([]byte, length)
	_, err := io.ReadFull(w.in, r.body)
	return r, err
}

// accepted posts a body that must be stored.
func (w *wire) accepted(body []byte) error {
	r, err := w.post(body)
	if err == nil && r.status != 200 {
		err = fmt.Errorf("%d %s", r.status, r.body)
	}
	return err
}

// load is what clients have done.
type load struct {
	requests, readings int
	elapsed            time.Duration
	took               []time.Duration // of each request
}

func (l load) readingsPerSecond() float64 { return float64(l.readings) / l.elapsed.Seconds() }
func (l load) requestsPerSecond() float64 { return float64(l.requests) / l.elapsed.Seconds() }

// maker makes the n-th body of a client, in dst, and says how many readings are in it.
type maker func(dst []byte, client, n int) (body []byte, readings int)

// closedLoop has clients post bodies for a while, each the next as soon as the last is stored.
func (b *bed) closedLoop(ctx context.Context, clients int, d time.Duration, next maker) (all load, err error) {
	return together(clients, func(client int, deadline time.Time) (mine load, err error) {
		w, err := b.dial(ctx)
		if err != nil {
			return mine, err
		}
		defer w.close()
		var body []byte
		for n := 0; time.Now().Before(deadline); n++ {
			var readings int
			body, readings = next(body[:0], client, n)
			t := time.Now()
			if err := w.accepted(body); err != nil {
				return mine, err
			}
			mine.took = append(mine.took, time.Since(t))
			mine.requests++
			mine.readings += readings
		}
		return mine, nil
	}, d)
}

// together runs clients at the same time, each until the deadline, and adds up what they did.
func together(clients int, run func(client int, deadline time.Time) (load, error), d time.Duration) (all load, err error) {
	var mu sync.Mutex
	var running sync.WaitGroup
	began := time.Now()
	for c := range clients {
		running.Go(func() {
			mine, failed := run(c, began.Add(d))
			mu.Lock()
			defer mu.Unlock()
			all.requests += mine.requests
			all.readings += mine.readings
			all.took = append(all.took, mine.took...)
			err = errors.Join(err, failed)
		})
	}
	running.Wait()
	all.elapsed = time.Since(began)
	return all, err
}
