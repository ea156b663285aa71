package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/fault"
)

// socket is one connection. Its reader (run) is the only goroutine that it has while no operation runs.
//
// There is no queue of frames: who has a frame waits for its turn and writes it, at most one frame for each operation and
// one for the reader. So a client that reads slowly holds up the channels of its own resolvers and nothing else, nothing
// is dropped, and a write that takes longer than WriteTimeout ends the socket.
type socket struct {
	transport *WebSocket
	exec      graphql.GraphExecutor
	conn      *websocket.Conn
	turn      chan struct{} // holds one element while a frame is written
	end       context.CancelFunc

	// Only the reader uses these.
	request  *http.Request   // the upgrade, until connection_init
	ctx      context.Context // the parent of operations; before connection_init ours, then Init's
	deadline *time.Timer     // until connection_init is answered
	initSeen bool
	acked    bool

	mu      sync.Mutex
	code    int           // the close code, once the socket is closing; else 0
	pinger  *time.Timer   // nil: no pings
	stops   []func() bool // to be called on closing
	active  map[string]*operation
	running int // operations that have not returned, among them those that the client has completed
}

func newSocket(t *WebSocket, conn *websocket.Conn, r *http.Request, exec graphql.GraphExecutor) *socket {
	// The request's context ends when Do returns; its values live on.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	return &socket{
		transport: t,
		exec:      exec,
		conn:      conn,
		turn:      make(chan struct{}, 1),
		end:       cancel,
		request:   r.WithContext(ctx),
		ctx:       ctx,
		active:    map[string]*operation{},
	}
}

// run reads messages until the connection ends, and is the one to end it.
func (s *socket) run() {
	t := s.transport
	defer t.leave(s)
	call(t.Hooks.OnConnect)
	defer s.ended()
	defer s.recovered()

	s.conn.SetReadLimit(t.maxMessage())
	s.conn.SetPongHandler(func(string) error { s.alive(); return nil })
	if s.conn.Subprotocol() != Subprotocol {
		s.close(closeNoProtocol, "Subprotocol not acceptable")
	}
	s.deadline = s.after(t.initTimeout(), func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	s.startPings()
	for {
		if err := s.readMessage(); err != nil {
			s.broke(err)
			return
		}
	}
}

// ended lets go of everything once the reader has returned.
func (s *socket) ended() {
	s.closing(websocket.CloseAbnormalClosure)
	_ = s.conn.Close()
	if on := s.transport.Hooks.OnDisconnect; on != nil {
		s.mu.Lock()
		code := s.code
		s.mu.Unlock()
		on(code)
	}
}

// recovered turns a panic of the reader, that is of Init, into a close: nothing above it would recover.
func (s *socket) recovered() {
	if p := recover(); p != nil {
		s.transport.log().ErrorContext(s.ctx, "panic in a socket", "panic", p, "stack", string(debug.Stack()))
		s.close(websocket.CloseInternalServerErr, fault.Of(fmt.Errorf("panic: %v", p)).Message)
	}
}

func (s *socket) readMessage() error {
	kind, r, err := s.conn.NextReader()
	if err != nil {
		return err
	}
	buf := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	s.alive()
	if s.isClosing() {
		return nil // the client has not seen our close frame yet
	}
	if kind != websocket.TextMessage {
		s.close(closeBadMessage, "Invalid message: a text frame is expected")
		return nil
	}
	m, err := parseMessage(buf.Bytes())
	if err != nil {
		s.close(closeBadMessage, "Invalid message: "+fault.Of(err).Message)
		return nil
	}
	s.handle(m)
	return nil
}

func (s *socket) handle(m message) {
	switch m.kind {
	case typeInit:
		s.init(m)
	case typePing:
		s.pong(m)
	case typeSubscribe:
		s.subscribe(m)
	case typeComplete:
		s.complete(m.id)
	}
}

// init authenticates the client and acknowledges it.
func (s *socket) init(m message) {
	if s.initSeen {
		s.close(closeTooManyInits, "Too many initialisation requests")
		return
	}
	s.initSeen = true
	session, err := s.authenticate(m)
	s.deadline.Stop()
	if err != nil {
		f := fault.Of(err)
		if f.Code == fault.Internal {
			s.transport.log().ErrorContext(s.ctx, "authenticate a socket", "error", err)
		}
		s.close(f.Code.Door().Close, f.Message)
		return
	}
	s.onClose(context.AfterFunc(s.ctx, s.revoked))
	if !session.Expires.IsZero() {
		s.after(time.Until(session.Expires), func() { s.close(closeForbidden, "the credential has expired") })
	}
	s.acked = true
	s.send(s.ctx, nil, appendBare(nil, typeAck, ""))
}

// authenticate asks Init, and takes the context that it gives.
func (s *socket) authenticate(m message) (Session, error) {
	r := s.request
	s.request = nil
	if s.transport.Init == nil {
		return Session{}, nil
	}
	ctx, session, err := s.transport.Init(r, m.raw())
	if err != nil {
		return Session{}, err
	}
	if ctx != nil {
		s.ctx = ctx
	}
	if !session.Expires.IsZero() && !session.Expires.After(time.Now()) {
		return Session{}, fault.New(fault.Forbidden, "the credential has expired")
	}
	return session, nil
}

// revoked closes the socket because the context that Init gave has ended.
func (s *socket) revoked() {
	code, reason := closeForbidden, "the rights have ended"
	var f *fault.Error
	if errors.As(context.Cause(s.ctx), &f) {
		code, reason = f.Code.Door().Close, f.Message
	}
	s.close(code, reason)
}

func (s *socket) pong(m message) {
	if payload := m.raw(); payload != nil {
		s.send(s.ctx, nil, append(append(appendHead(nil, typePong, ""), payload...), '}'))
		return
	}
	s.send(s.ctx, nil, appendBare(nil, typePong, ""))
}

// send waits for its turn and writes one message, unless ctx has ended by then or wanted, asked last, says no. It reports
// whether the message was written. Safe for concurrent use.
func (s *socket) send(ctx context.Context, wanted func() bool, message []byte) bool {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-s.turn }()
	if ctx.Err() != nil || wanted != nil && !wanted() {
		return false
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.transport.writeTimeout()))
	if err := s.conn.WriteMessage(websocket.TextMessage, message); err != nil {
		if !errors.Is(err, websocket.ErrCloseSent) {
			s.cut()
		}
		return false
	}
	if on := s.transport.Hooks.OnSend; on != nil {
		on(len(message))
	}
	return true
}

// startPings sends a ping frame now and then, and gives the client two intervals to show that it lives.
func (s *socket) startPings() {
	interval := s.transport.ping()
	if interval < 0 {
		return
	}
	s.alive()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		return
	}
	s.pinger = time.AfterFunc(interval, func() {
		// Its errors are the reader's or a writer's to find.
		_ = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(min(interval, s.transport.writeTimeout())))
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.code == 0 {
			s.pinger.Reset(interval)
		}
	})
	s.stops = append(s.stops, s.pinger.Stop)
}

// alive notes that the client has been heard.
func (s *socket) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if interval := s.transport.ping(); interval > 0 && s.code == 0 {
		_ = s.conn.NetConn().SetReadDeadline(time.Now().Add(2 * interval))
	}
}

func call(hook func()) {
	if hook != nil {
		hook()
	}
}
