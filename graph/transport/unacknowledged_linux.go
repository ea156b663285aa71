package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// limitUnacknowledged has the kernel end a connection on which something that was sent is not acknowledged within limit, and
// reports whether it will; see TCP_USER_TIMEOUT in tcp(7).
func limitUnacknowledged(tcp *net.TCPConn, limit time.Duration) bool {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
	return err == nil && refused == nil
}
