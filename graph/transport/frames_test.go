package transport

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestNoMessageFollowsACloseFrame(t *testing.T) {
	t.Parallel()
	f := func(end func(*socket, net.Conn)) {
		t.Helper()
		for range 20 {
			conn, s := openGate(t, &WebSocket{}).join()
			sent, done := make(chan struct{}, 1), make(chan struct{})
			go func() {
				defer close(done)
				for range 10_000 {
					tryWrite(s, []byte("x"))
					select {
					case sent <- struct{}{}:
					default:
					}
				}
			}()
			<-sent
			end(s, conn)
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			data, _ := io.ReadAll(conn)
			<-done
			kinds := frameKinds(data)
			if i := strings.IndexByte(kinds, websocket.CloseMessage); i < 0 || i != len(kinds)-1 {
				t.Fatalf("the close frame is number %d of %d", i+1, len(kinds))
			}
			if tryWrite(s, []byte("x")) {
				t.Fatal("a message was written to a socket that is closing")
			}
		}
	}
	goodbye := []byte{0x88, 0x82, 0, 0, 0, 0, 3, 232} // 1000, with a mask that changes nothing
	f(func(_ *socket, conn net.Conn) { _, _ = conn.Write(goodbye) })
	f(func(s *socket, conn net.Conn) {
		s.close(closeBadMessage, "no more")
		_, _ = conn.Write(goodbye)
	})
}

func TestFramesAreAsLongAsTheirMessages(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 1 << 8, 1<<16 - 1, 1 << 16, 3 << 20} {
		conn, s := openGate(t, &WebSocket{}).join()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		for _, message := range []string{strings.Repeat("x", size), "next"} {
			go s.send(t.Context(), nil, []byte(message))
			if got, err := readFrame(conn); err != nil || string(got) != message {
				t.Errorf("of %d bytes %d were read: %v", len(message), len(got), err)
			}
		}
	}
}

// frameKinds returns the kind of each of the frames of a server.
func frameKinds(data []byte) string {
	var kinds []byte
	for len(data) >= 2 {
		kinds = append(kinds, data[0]&0xf)
		size, head := int(data[1]), 2
		switch size {
		case 126:
			size, head = int(binary.BigEndian.Uint16(data[2:])), 4
		case 127:
			size, head = int(binary.BigEndian.Uint64(data[2:])), 10
		}
		data = data[min(head+size, len(data)):]
	}
	return string(kinds)
}
