package transport

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// tryWrite reports whether a message was written.
func tryWrite(s *socket, message []byte) bool {
	return s.write(context.Background(), nil, message) == written
}

func TestStalledClientDelaysNobodyOnTheSameWriter(t *testing.T) {
	t.Parallel()
	g := openGate(t, &WebSocket{Stall: time.Hour})
	const messages, size = 100, 200_000
	idle, stalled := g.join()                                          // and reads no more
	if err := idle.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil { // else the kernel takes ever more
		t.Fatal(err)
	}
	reader, served := g.join()
	room := make(chan struct{}, 1)
	served.onDrained(func() {
		select {
		case room <- struct{}{}:
		default:
		}
	})
	refused := make(chan int, 1)
	go func() { // the one writer
		n := 0
		for i := range messages {
			message := bytes.Repeat([]byte{byte(i)}, size)
			if !tryWrite(stalled, message) {
				n++
			}
			for !tryWrite(served, message) {
				<-room
			}
		}
		refused <- n
	}()
	_ = reader.SetReadDeadline(time.Now().Add(patience))
	for i := range messages {
		got, err := readFrame(reader)
		if err != nil || len(got) != size || got[0] != byte(i) || got[size-1] != byte(i) {
			t.Fatalf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	if n := await(t, refused, "the end of writing"); n < messages-20 { // the kernel takes some
		t.Errorf("the stalled client refused %d of %d messages", n, messages)
	}
	if pending := stalled.out.Pending(); pending == 0 || pending > size+10 {
		t.Errorf("%d bytes are kept for the stalled client, who is owed a message of %d", pending, size)
	}
}

func TestSendersOfASlowSocketTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, s := onPipe(t, &WebSocket{})
		for _, name := range []string{"shared 1", "shared 2"} {
			s.onDrained(func() {
				for tryWrite(s, []byte(name)) {
				}
			})
		}
		for _, name := range []string{"own 1", "own 2", "own 3"} {
			go func() {
				for s.send(s.ctx, nil, []byte(name)) {
				}
			}()
		}
		turns := map[string]int{}
		for range 1 + 5*20 { // one was first, when nobody waited
			synctest.Wait()
			got, err := readFrame(client)
			if err != nil {
				t.Fatal(err)
			}
			turns[string(got)]++
		}
		for name, n := range turns {
			if n < 19 || n > 21 || len(turns) != 5 {
				t.Errorf("%s had %d turns of %v", name, n, turns)
			}
		}
	})
}

func TestMessagesThatWaitAreNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, s := onPipe(t, &WebSocket{})
		const size, senders = 1 << 20, 10
		sent := make(chan bool, senders)
		for range senders {
			go func() { sent <- s.send(s.ctx, nil, make([]byte, size)) }()
		}
		synctest.Wait()
		if pending := s.out.Pending(); pending < size || pending > size+10 {
			t.Errorf("%d bytes are kept", pending)
		}
		for range senders {
			if got, err := readFrame(client); err != nil || len(got) != size {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if !<-sent {
				t.Error("a message was dropped")
			}
		}
	})
}

func TestMessageIsNotForgottenWhenItIsRefusedJustBeforeTheEndOfDraining(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s := onPipe(t, &WebSocket{})
		if s.sendLater(s.ctx, nil, []byte("x")) != written { // nothing is kept, nobody drains
			t.Error("the message was dropped")
		}
	})
}

func TestMessageThatWaitsIsDroppedWhenNobodyWantsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, s := onPipe(t, &WebSocket{})
		tryWrite(s, []byte("first"))
		sent := make(chan bool, 2)
		ctx, cancel := context.WithCancel(s.ctx)
		go func() { sent <- s.send(ctx, nil, []byte("cancelled")) }()
		go func() { sent <- s.send(s.ctx, func() bool { return false }, []byte("unwanted")) }()
		synctest.Wait()
		cancel()
		if <-sent {
			t.Error("the message of a context that has ended was written")
		}
		for _, want := range []string{"first", "last"} {
			got, err := readFrame(client)
			if err != nil || string(got) != want {
				t.Fatalf("want %s, got %s %v", want, got, err)
			}
			if want == "first" && (<-sent || !s.send(s.ctx, nil, []byte("last"))) {
				t.Error("an unwanted message was written, or a wanted one was not")
			}
		}
		if n := s.turns.len(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// BenchmarkBroadcast compares one goroutine that writes a message to many sockets with gorilla alone.
func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{200, 2000, 20_000} {
		b.Run(fmt.Sprintf("ours/%d", size), func(b *testing.B) {
			g := openGate(b, &WebSocket{})
			broadcast(b, size, func() func([]byte) bool {
				conn, s := g.join()
				go swallow(conn)
				return func(message []byte) bool { return tryWrite(s, message) }
			})
		})
		b.Run(fmt.Sprintf("gorilla/%d", size), func(b *testing.B) {
			broadcast(b, size, bareGorilla(b))
		})
	}
}

// bareGorilla joins clients of nothing but gorilla.
func bareGorilla(b *testing.B) (join func() func([]byte) bool) {
	conns := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{Subprotocols: []string{Subprotocol}}).Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_ack"}`))
		conns <- conn
	}))
	b.Cleanup(server.Close)
	return func() func([]byte) bool {
		client, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { client.Close() })
		greet(b, client)
		go swallow(client)
		conn := <-conns
		b.Cleanup(func() { conn.Close() })
		return func(message []byte) bool { return conn.WriteMessage(websocket.TextMessage, message) == nil }
	}
}

func broadcast(b *testing.B, size int, join func() (send func([]byte) bool)) {
	var sends []func([]byte) bool
	for range 100 {
		sends = append(sends, join())
	}
	message := make([]byte, size)
	b.ReportAllocs()
	for b.Loop() {
		for _, send := range sends {
			for !send(message) { // the client's turn
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(sends)), "ns/message")
}

// swallow reads all that there is.
func swallow(conn net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
