package transport

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen soon.
const patience = 20 * time.Second

// onPipe returns a socket over a connection without buffers, and its client. Nobody reads from the socket.
func onPipe(t *testing.T, ws *WebSocket) (client *bufio.Reader, s *socket) {
	t.Helper()
	ours, theirs := net.Pipe()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{
		"Connection":             {"Upgrade"},
		"Upgrade":                {"websocket"},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Key":      {"AAAAAAAAAAAAAAAAAAAAAA=="},
		"Sec-Websocket-Protocol": {Subprotocol},
	}
	conn, err := ws.upgrader().Upgrade(hijacker{hijackable{httptest.NewRecorder(), ours}, ws}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	client = bufio.NewReaderSize(theirs, 16)
	for line := ""; line != "\r\n"; {
		if line, err = client.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s = newSocket(ws, conn, r, nil)
	t.Cleanup(func() {
		s.cut()
		s.out.drains.Wait()
	})
	s.out.drains.Wait()
	return client, s
}

// hijackable is a response whose connection can be taken over.
type hijackable struct {
	http.ResponseWriter
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// gate is a transport on a listener of its own, for tests and benchmarks that write to sockets themselves.
type gate struct {
	t       testing.TB
	ws      *WebSocket
	address string
}

func openGate(t testing.TB, ws *WebSocket) *gate {
	t.Helper()
	return openGateTo(t, ws, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ws.Do(w, r, nil) }))
}

// openGateTo is openGate with a handler that leads to ws.
func openGateTo(t testing.TB, ws *WebSocket, h http.Handler) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := ws.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		_ = server.Close()
	})
	return &gate{t, ws, listener.Addr().String()}
}

// join connects a client that costs next to nothing, and returns it with its socket.
func (g *gate) join() (net.Conn, *socket) {
	g.t.Helper()
	before := g.sockets()
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	greet(g.t, conn)
	for s := range g.sockets() {
		if !before[s] {
			return conn, s
		}
	}
	g.t.Fatal("no socket has come")
	return nil, nil
}

func (g *gate) sockets() map[*socket]bool {
	g.ws.mu.Lock()
	defer g.ws.mu.Unlock()
	sockets := map[*socket]bool{}
	for s := range g.ws.sockets {
		sockets[s] = true
	}
	return sockets
}

// greet upgrades conn and has the client acknowledged.
func greet(t testing.TB, conn net.Conn) {
	t.Helper()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", Subprotocol)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	r := bufio.NewReaderSize(conn, 16)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	say(conn, `{"type":"connection_init"}`)
	ack := make([]byte, len("\x81\x18{\"type\":\"connection_ack\"}"))
	if _, err := io.ReadFull(r, ack); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Time{})
}

// say writes a message of a client, not longer than 64 KiB.
func say(conn net.Conn, message string) {
	head := binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(message)))
	_, _ = conn.Write(append(append(head, 0, 0, 0, 0), message...))
}

// readFrame returns the payload of the next frame of a server.
func readFrame(r io.Reader) (payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := uint64(head[1])
	if extended := map[uint64]int{126: 2, 127: 8}[size]; extended > 0 {
		var long [8]byte
		if _, err := io.ReadFull(r, long[8-extended:]); err != nil {
			return nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(r, payload)
	return payload, err
}
