//go:build !linux

package transport

import (
	"net"
	"time"
)

// limitUnacknowledged is for systems whose kernel notices clients that do not acknowledge anything.
func limitUnacknowledged(*net.TCPConn, time.Duration) bool { return false }
