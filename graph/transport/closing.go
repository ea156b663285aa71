package transport

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// closeWait is how long the closing handshake may take: sending our close frame, then waiting for the client's.
const closeWait = time.Second

// close begins the closing handshake with code and reason, unless it has begun; the reader ends it. It does not wait.
//
// What is kept for the client goes before our close frame: for at most Stall, and as long as closeWait does not pass
// without progress. Then the client has closeWait to answer.
func (s *socket) close(code int, reason string) {
	if !s.closing(code) {
		return
	}
	_ = s.conn.NetConn().SetReadDeadline(time.Now().Add(s.transport.stall() + closeWait))
	s.out.hurry(closeWait, s.transport.stall())
	err := s.writeClose(code, short(reason))
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		s.cut()
	}
	if s.out.Pending() == 0 {
		s.saidAll()
	}
}

// answerClose answers the close frame of a client, to which no message may follow.
func (s *socket) answerClose(code int, _ string) error {
	if s.closing(code) {
		_ = s.writeClose(code, "") // who cannot be answered has gone
	}
	return nil
}

// writeClose writes a close frame behind the message that is being written, if there is one.
func (s *socket) writeClose(code int, reason string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{})
}

// saidAll gives a client that is being closed closeWait from now: our close frame is on its way.
func (s *socket) saidAll() {
	if s.isClosing() {
		_ = s.conn.NetConn().SetReadDeadline(time.Now().Add(closeWait))
	}
}

// cut ends the connection without a word; what the kernel still holds for a client that does not read is dropped.
func (s *socket) cut() {
	s.closing(websocket.CloseAbnormalClosure)
	s.out.cut()
}

// broke ends the socket after the reader's error.
func (s *socket) broke(err error) {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		s.closing(closed.Code)
		if closed.Code != websocket.CloseAbnormalClosure { // gorilla has answered, and nothing is written after that
			s.out.hurry(closeWait, s.transport.stall())
			s.out.drains.Wait()
		}
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
	ended, first := s.mark(code)
	for _, op := range ended {
		op.finish()
	}
	return first
}

// mark is closing but for the operations, which it returns.
func (s *socket) mark(code int) (ended []*operation, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return nil, false
	}
	s.code = code
	s.silent.Store(true)
	for _, timer := range []*time.Timer{s.timer, s.pings.timer} {
		if timer != nil {
			timer.Stop()
		}
	}
	if s.unwatch != nil {
		s.unwatch()
	}
	s.end()
	return slices.Collect(maps.Values(s.active)), true
}

func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code != 0
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
