package transport

import (
	"time"

	"github.com/gorilla/websocket"
)

// A ping frame shows a client that we are there, and us that the client is. Both show where messages flow: the client gets
// them, and the kernel ends a connection on which they are not acknowledged. So a socket is pinged when nothing was sent to it
// for a while, and a busy one rarely: whoever acknowledges may be a proxy, or the system of a program that hangs.

// maxSpared is how many halves of the interval may pass without a ping, however busy the socket is.
const maxSpared = 19

// pings are what a socket knows of them, with its lock held.
type pings struct {
	timer  *time.Timer // nil: there are none
	spared int         // halves of the interval since the last ping
	asked  bool        // the client has to show that it lives before the deadline of reads
}

// startPings has the socket looked at twice in an interval.
func (s *socket) startPings() {
	interval := s.transport.ping()
	if interval < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return
	}
	s.sent.Store(true)
	s.pings.timer = time.AfterFunc(interval/2, func() {
		if s.pingDue(interval) {
			// Its errors are the reader's or a writer's to find.
			_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(interval))
		}
	})
}

// pingDue reports whether the client is to be pinged now. It then has another interval to show that it lives.
func (s *socket) pingDue(interval time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return false
	}
	p := &s.pings
	p.timer.Reset(interval / 2)
	if s.sent.Swap(false) && p.spared < maxSpared {
		p.spared++
		return false
	}
	s.sent.Store(true) // the ping
	p.spared, p.asked = 0, true
	_ = s.conn.NetConn().SetReadDeadline(time.Now().Add(interval))
	return true
}

// alive notes that the client has been heard.
func (s *socket) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pings.asked && s.code == 0 {
		s.pings.asked = false
		_ = s.conn.NetConn().SetReadDeadline(time.Time{})
	}
}
