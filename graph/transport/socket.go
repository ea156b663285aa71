package transport

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/fault"
)

// socket is one connection. Its reader (run) is the only goroutine that stays: others live while a message of the client is
// handled (apart), while something is kept for it (outbox), and while an operation does not only listen.
//
// There is no queue of frames: sending.go says how those who have a message take turns.
type socket struct {
	transport *WebSocket
	home      *Subscriptions
	exec      graphql.GraphExecutor
	conn      *websocket.Conn
	out       *outbox     // under conn
	writing   sync.Mutex  // one writer of messages at a time; nobody waits for the client with it
	silent    atomic.Bool // no message is written any more: the socket is closing
	sent      atomic.Bool // a ping since the last look, or a message, where the kernel notices that nobody acknowledges it
	turns     turns
	end       context.CancelFunc

	// Only the reader uses these.
	request  *http.Request   // the upgrade, until connection_init
	ctx      context.Context // the parent of operations; before connection_init ours, then Init's
	initSeen bool
	acked    bool
	owner    string // once acknowledged

	mu      sync.Mutex
	code    int         // the close code, once the socket is closing; else 0
	timer   *time.Timer // until connection_init is answered; then until the rights end; nil: never
	pings   pings
	unwatch func() bool // stops the watch over the context of Init; nil: there is none
	active  map[string]*operation
	held    int64 // what the active operations weigh
	running int   // operations that have not returned, among them those that the client has completed

	returned chan struct{} // closed when one of these has; nil: nobody waits
}

func newSocket(t *WebSocket, conn *websocket.Conn, r *http.Request, exec graphql.GraphExecutor) *socket {
	// The request's context ends when Do returns; its values live on.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	s := &socket{
		transport: t,
		home:      t.subscriptions(),
		exec:      exec,
		conn:      conn,
		out:       conn.NetConn().(*outbox),
		end:       cancel,
		request:   r.WithContext(ctx),
		ctx:       ctx,
		active:    map[string]*operation{},
	}
	s.out.onDrained(s.drained)
	return s
}

// run reads messages until the connection ends, and is the one to end it.
func (s *socket) run() {
	t := s.transport
	defer t.leave(s)
	call(t.Hooks.OnConnect)
	defer s.ended()

	s.conn.SetReadLimit(t.maxMessage())
	s.conn.SetCloseHandler(s.answerClose)
	s.conn.SetPongHandler(func(string) error { s.alive(); return nil })
	if s.conn.Subprotocol() != Subprotocol {
		s.close(closeNoProtocol, "Subprotocol not acceptable")
	}
	s.arm(t.initTimeout(), s.ungreeted)
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
	s.out.drains.Wait()
	if on := s.transport.Hooks.OnDisconnect; on != nil {
		s.mu.Lock()
		code := s.code
		s.mu.Unlock()
		on(code)
	}
}

// apart runs f in a goroutine of its own and waits for it: what grows is the stack of that one, which ends, and not the
// reader's, which lives as long as the socket.
func (s *socket) apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.recovered()
		f()
	}()
	<-done
}

// recovered turns a panic, that is of Init or Renew, into a close: nothing above it would recover.
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
	s.apart(func() { s.handle(buf.Bytes()) })
	s.alive() // it was not listened to meanwhile
	return nil
}

// handle does what a message asks for.
func (s *socket) handle(text []byte) {
	m, err := parseMessage(text)
	if err != nil {
		s.close(closeBadMessage, "Invalid message: "+fault.Of(err).Message)
		return
	}
	switch m.kind {
	case typeInit:
		s.init(m)
	case typePing:
		s.answer(m)
	case typeSubscribe:
		s.subscribe(m)
	case typeComplete:
		s.complete(m.id)
	}
}

// arm has f called after d, in place of what was armed before. A d below 0: nothing is called.
func (s *socket) arm(d time.Duration, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.code == 0 && d >= 0 {
		s.timer = time.AfterFunc(d, f)
	}
}

func call(hook func()) {
	if hook != nil {
		hook()
	}
}
