package transport_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/graph/transport"
)

// BenchmarkSharing compares a thousand subscribers of one operation with gorilla alone, which writes a prepared message to as
// many. A round ends when all have read. The processor's time, cpu-ns/message, is that of the clients and of the kernel too.
func BenchmarkSharing(b *testing.B) {
	const sockets = 1000
	for _, size := range []int{200, 2000} {
		text := strings.Repeat("x", size)
		message := fmt.Appendf(nil, `{"id":"1","type":"next","payload":{"data":{"entries":"%s"}}}`, text)
		b.Run(fmt.Sprintf("ours/%d", size), func(b *testing.B) {
			texts := make(texts)
			w := build([]func(*transport.WebSocket){patiently})
			texts.in(w)
			w.Start()
			defer w.Close()
			defer w.shutdown(b)
			c := newCrowd(b, w.Listener.Addr().String(), sockets, `{"type":"connection_init"}`, fmt.Sprintf(entriesOf, "1", "x"))
			defer c.leave()
			for !w.allShare(sockets) {
				time.Sleep(time.Millisecond)
			}
			c.measure(b, func() { texts <- text }, len(message))
		})
		b.Run(fmt.Sprintf("gorilla/%d", size), func(b *testing.B) {
			conns := make(chan *websocket.Conn, sockets)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, err := (&websocket.Upgrader{Subprotocols: []string{transport.Subprotocol}}).Upgrade(w, r, nil)
				if err != nil {
					b.Error(err)
				}
				conns <- conn
			}))
			defer server.Close()
			c := newCrowd(b, server.Listener.Addr().String(), sockets)
			defer c.leave()
			var all []*websocket.Conn
			for range sockets {
				conn := <-conns
				defer conn.Close()
				all = append(all, conn)
			}
			rounds := make(chan struct{})
			defer close(rounds)
			go func() {
				for range rounds {
					prepared, _ := websocket.NewPreparedMessage(websocket.TextMessage, message)
					for _, conn := range all {
						_ = conn.WritePreparedMessage(prepared)
					}
				}
			}()
			c.measure(b, func() { rounds <- struct{}{} }, len(message))
		})
	}
}

// texts is a stream that gives what it is given.
type texts chan string

func (x texts) in(w *world) {
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) { return transport.Plan{Share: "x"}, nil }
	w.entries = func(context.Context, map[string]any) (transport.Stream[any], error) { return stream{next: x.wait}, nil }
}

func (x texts) wait(ctx context.Context) (any, error) {
	select {
	case text := <-x:
		return text, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *world) allShare(n int) bool {
	list := w.subs.Subscribers(0)
	return len(list) == n && list[n-1].Sharing == n
}

// crowd are clients that read and throw away.
type crowd struct {
	conns []net.Conn
	read  atomic.Int64 // bytes
	round atomic.Int64 // ends with so many
	done  chan struct{}
}

func newCrowd(b *testing.B, addr string, n int, messages ...string) *crowd {
	c := &crowd{done: make(chan struct{}, 1)}
	c.round.Store(1 << 60)
	for range n {
		conn := knock(b, addr, messages...)
		if conn == nil {
			b.FailNow()
		}
		if len(messages) > 0 {
			_, _ = frame(conn) // connection_ack
		}
		c.conns = append(c.conns, conn)
		go c.drink(conn)
	}
	return c
}

func (c *crowd) drink(conn net.Conn) {
	buf := make([]byte, 4<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if c.read.Add(int64(n)) == c.round.Load() {
			c.done <- struct{}{}
		}
	}
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

// measure has everybody sent a message by each call of send, and waits until they have read it.
func (c *crowd) measure(b *testing.B, send func(), size int) {
	size += 2 // the frame's head
	if size > 127 {
		size += 2
	}
	b.ReportAllocs()
	began := processor()
	for b.Loop() {
		c.round.Store(c.read.Load() + int64(size*len(c.conns)))
		send()
		<-c.done
	}
	n := float64(b.N * len(c.conns))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/message")
	b.ReportMetric(float64((processor()-began).Nanoseconds())/n, "cpu-ns/message")
	b.ReportMetric(0, "ns/op")
}

// processor returns the time that the process has had of the processors.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
