package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/graph/transport"
)

// The tests here run on synthetic time and on connections without buffers, so they see the default limits to the second.

func TestSocketClosesWithoutInitAfterThreeSeconds(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, nil, func(w *world) {
		start := time.Now()
		c := w.dial(w.t, nil)
		c.send(`{"type":"ping"}`) // a ping is no greeting
		c.expect(`{"type":"pong"}`)
		c.expectClose(4408, "Connection initialisation timeout")
		w.took(start, 3*time.Second)
	})
}

func TestSocketClosesWhenInitTakesTooLong(t *testing.T) {
	t.Parallel()
	slow := func(ws *transport.WebSocket) {
		ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
			<-r.Context().Done()
			return nil, transport.Session{}, r.Context().Err()
		}
	}
	onSyntheticTime(t, slow, func(w *world) {
		c := w.dial(w.t, nil)
		c.send(`{"type":"connection_init"}`)
		c.expectClose(4408, "Connection initialisation timeout")
	})
}

func TestSocketClosesWhenItsSessionExpires(t *testing.T) {
	t.Parallel()
	f := func(rest time.Duration) {
		t.Helper()
		expires := func(ws *transport.WebSocket) {
			ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
				return r.Context(), transport.Session{Expires: time.Now().Add(rest)}, nil
			}
		}
		onSyntheticTime(t, expires, func(w *world) {
			start := time.Now()
			c := w.dial(w.t, nil)
			c.send(`{"type":"connection_init"}`)
			if rest > 0 {
				c.expect(`{"type":"connection_ack"}`)
				c.send(ticks, "1")
			}
			c.expectClose(4403, "the credential has expired") // and no complete before it
			w.took(start, max(0, rest))
		})
	}
	f(15 * time.Minute)
	f(0)
	f(-time.Hour)
}

func TestSilentClientIsCutAfterTwoPings(t *testing.T) {
	t.Parallel()
	var codes chan int
	tell := func(ws *transport.WebSocket) {
		codes = make(chan int, 1)
		ws.Hooks.OnDisconnect = func(code int) { codes <- code }
	}
	onSyntheticTime(t, tell, func(w *world) {
		c := w.join(w.t)
		start := time.Now()
		c.SetPingHandler(func(string) error { return nil }) // hears the pings and says nothing
		if _, err := c.read(); err == nil {
			w.t.Error("the client is still there")
		}
		w.took(start, 50*time.Second)
		if code := <-codes; code != 1006 {
			w.t.Errorf("want 1006, got %d", code)
		}
	})
}

func TestClientThatAnswersPingsIsKept(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, nil, func(w *world) {
		c := w.join(w.t)
		var pings atomic.Int32
		answer := c.PingHandler()
		c.SetPingHandler(func(data string) error { pings.Add(1); return answer(data) })
		go func() { // an hour and two minutes later
			time.Sleep(time.Hour + 2*time.Minute)
			c.send(complete, "x")
			c.send(`{"type":"ping"}`)
		}()
		c.expect(`{"type":"pong"}`)
		if n := pings.Load(); n != 148 { // one in 25 s
			w.t.Errorf("%d pings", n)
		}
	})
}

func TestStalledClientIsCutAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	var codes chan int
	tell := func(ws *transport.WebSocket) {
		codes = make(chan int, 1)
		ws.Hooks.OnDisconnect = func(code int) { codes <- code }
	}
	onSyntheticTime(t, tell, func(w *world) {
		c := w.join(w.t) // and reads no more
		c.send(flood, "1", 10)
		start := time.Now()
		if code := <-codes; code != 1006 {
			w.t.Errorf("want 1006, got %d", code)
		}
		w.took(start, 5*time.Second)
	})
}

func TestStalledClientHoldsUpShutdownForASecond(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, nil, func(w *world) {
		c := w.join(w.t) // and reads no more
		c.send(flood, "1", 10)
		synctest.Wait() // until the write stalls
		start := time.Now()
		w.shutdown(w.t)
		w.took(start, time.Second)
	})
}

func TestSlowReaderIsClosedInOrder(t *testing.T) {
	t.Parallel()
	shutdown := func(w *world, _ *client) { w.shutdown(w.t) }
	leave := func(w *world, c *client) {
		bye := websocket.FormatCloseMessage(1000, "")
		if err := c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(w.patience)); err != nil {
			w.t.Error(err)
		}
	}
	f := func(end func(*world, *client), bytes, code int, after time.Duration) {
		t.Helper()
		onSyntheticTime(t, nil, func(w *world) {
			w.slow = 100 * time.Millisecond // for 4 KiB
			c := w.join(w.t)
			c.send(flood, "1", bytes)
			synctest.Wait() // until a message waits to be read
			start := time.Now()
			go end(w, c)
			c.expectCloseAfterAll(code)
			w.took(start, after)
		})
	}
	f(shutdown, 120_000, 1012, 3*time.Second) // while something is taken each second
	f(leave, 120_000, 1000, 3*time.Second)
	f(shutdown, 1_000_000, 1006, 5*time.Second) // but not for ever
	f(leave, 1_000_000, 1006, 5*time.Second)
}

// onSyntheticTime runs f// onSyntheticTime runs f in a bubble of synthetic time, with a server on in-memory connections.
func onSyntheticTime(t *testing.T, option func(*transport.WebSocket), f func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		options := []func(*transport.WebSocket){}
		if option != nil {
			options = append(options, option)
		}
		w := build(options)
		w.t = t
		pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: w.Config.Handler}
		go func() { _ = server.Serve(pipes) }()
		w.URL = "http://pipe"
		w.patience = 24 * time.Hour
		w.dialer.NetDial = func(network, address string) (net.Conn, error) {
			conn, err := pipes.dial(network, address)
			return slowConn{conn, w}, err
		}
		t.Cleanup(func() {
			w.shutdown(t)
			_ = server.Close()
		})
		f(w)
	})
}

// took fails the test unless want has passed since start, on the second.
func (w *world) took(start time.Time, want time.Duration) {
	w.t.Helper()
	if got := time.Since(start).Round(time.Second); got != want {
		w.t.Errorf("it took %v, want %v", got, want)
	}
}

// expectCloseAfterAll fails the test unless whatever comes ends with a close frame of this code; 1006: with none.
func (c *client) expectCloseAfterAll(code int) {
	c.Helper()
	var err error
	for err == nil {
		_, err = c.read()
	}
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		c.Fatalf("want close %d, got %v", code, err)
	}
}

// slowConn takes the time that its world says for each read of at most 4 KiB.
type slowConn struct {
	net.Conn
	world *world
}

func (c slowConn) Read(p []byte) (int, error) {
	time.Sleep(c.world.slow)
	return c.Conn.Read(p[:min(len(p), 4<<10)])
}

// pipeListener listens for connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial(string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, fmt.Errorf("dial: %w", net.ErrClosed)
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
