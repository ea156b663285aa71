//go:build !linux

package transport

import (
	"net"
	"testing"
	"time"
)

func unacknowledgedLimit(*testing.T, *net.TCPConn) (limit time.Duration, known bool) { return 0, false }
