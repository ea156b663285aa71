package mail

import (
	"context"
	"net"
	"time"
)

// Patience makes each step of s take d at most.
func (s *SMTP) Patience(d time.Duration) { s.wait = d }

// Reach makes s find its server, whatever it is called, at addr.
func (s *SMTP) Reach(addr string) {
	s.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
}
