package transport

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unacknowledgedLimit returns how long the kernel waits for an acknowledgement; 0: as long as it waits for any connection.
func unacknowledgedLimit(t *testing.T, tcp *net.TCPConn) (limit time.Duration, known bool) {
	t.Helper()
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var ms int
	if err := raw.Control(func(fd uintptr) {
		ms, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ms) * time.Millisecond, true
}
