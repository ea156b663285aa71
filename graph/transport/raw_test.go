package transport_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/readout-dev/readout/graph/transport"
)

// knock connects with as little memory as can be, says what it is given and returns the connection; nil after a failure.
func knock(t testing.TB, addr string, messages ...string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", transport.Subprotocol)
	r := bufio.NewReaderSize(c, 16)
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Error(err)
			return nil
		}
	}
	for _, message := range messages {
		if _, err := c.Write(masked(message)); err != nil {
			t.Error(err)
			return nil
		}
	}
	return c
}

// masked returns a text frame as a client sends it, with a mask that changes nothing.
func masked(message string) []byte {
	head := []byte{0x81, 0x80 | byte(min(len(message), 126))}
	if len(message) >= 126 {
		head = binary.BigEndian.AppendUint16(head, uint16(len(message)))
	}
	return append(append(head, 0, 0, 0, 0), message...)
}

// frame reads one frame of a server, without a buffer.
func frame(r io.Reader) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	size := int(head[1])
	if size == 126 {
		if _, err := io.ReadFull(r, head); err != nil {
			return "", err
		}
		size = int(binary.BigEndian.Uint16(head))
	}
	text := make([]byte, size)
	_, err := io.ReadFull(r, text)
	return string(text), err
}
