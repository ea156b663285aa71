package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// closeWait is how long the closing handshake may take: sending our close frame, then waiting for the client's.
const closeWait = time.Second

// close begins the closing handshake with code and reason, unless it has begun; the reader ends it. It waits for at most
// closeWait, while a write stalls.
func (s *socket) close(code int, reason string) {
	if !s.closing(code) {
		return
	}
	deadline := time.Now().Add(closeWait)
	_ = s.conn.NetConn().SetReadDeadline(deadline)
	err := s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, short(reason)), deadline)
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		s.cut()
	}
}

// cut ends the connection without a word; what the kernel still holds for a client that does not read is dropped.
func (s *socket) cut() {
	s.closing(websocket.CloseAbnormalClosure)
	conn := s.conn.NetConn()
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn() // whose Close does not try to say goodbye
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// broke ends the socket after the reader's error.
func (s *socket) broke(err error) {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		s.closing(closed.Code)
		return
	case errors.As(err, &network) && network.Timeout(): // a silent client, or the end of closeWait
		return
	case errors.Is(err, websocket.ErrReadLimit):
		s.close(websocket.CloseMessageTooBig, "") // which gorilla has sent
	default:
		s.closing(websocket.CloseAbnormalClosure)
	}
	// With unread bytes the kernel would reset the connection, and the client lose the close frame that gorilla sent.
	_ = s.conn.NetConn().SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, s.conn.NetConn())
}

// closing marks the socket as closing with code and cancels all that runs on it. It reports false if it was already.
func (s *socket) closing(code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return false
	}
	s.code = code
	for _, stop := range s.stops {
		stop()
	}
	for _, op := range s.active {
		op.cancel()
	}
	s.end()
	return true
}

func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code != 0
}

// after calls f in a goroutine of its own after d, unless the socket is closing by then.
func (s *socket) after(d time.Duration, f func()) *time.Timer {
	timer := time.AfterFunc(d, f)
	s.onClose(timer.Stop)
	return timer
}

// onClose has stop called when the socket is closing.
func (s *socket) onClose(stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		stop()
		return
	}
	s.stops = append(s.stops, stop)
}

// short cuts a close reason to what a close frame holds: 123 bytes.
func short(reason string) string {
	const most = 123
	if len(reason) <= most {
		return reason
	}
	n := most
	for !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}
