package transport

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/fault"
)

// WebSocket answers queries, mutations and subscriptions over WebSocket, subprotocol graphql-transport-ws only.
//
// Its fields are set before its first use and not changed after; its methods are safe for concurrent use. Use it by
// pointer. Compression is never negotiated. A client that offers other subprotocols only is refused with 400 before the
// upgrade (without a common subprotocol a browser fails the handshake and shows no close code); one that offers none is
// closed with 4406. Neither happens to a graphql-ws client, which always offers ours.
type WebSocket struct {
	// Init authenticates a socket at connection_init, once, by the upgrade request and the message's payload (nil where
	// there is none). r.Context() has the request's values and ends with the socket; the returned context, derived from
	// it, is the parent of every operation's. When it ends first, the socket is closed: with the code of the *fault.Error
	// that is its cause, else with 4403. An error closes the socket with the code and message of the *fault.Error that it
	// is; any other is logged and shown as internal. nil lets everybody in.
	Init func(r *http.Request, payload json.RawMessage) (context.Context, Session, error)

	// Renew is asked when a client sends a ping with a payload that has a member "authorization" (the payload is passed
	// as it is); ctx is that of Init. The rights then hold as long as the Session says, which the pong tells:
	// {"expires": "<RFC 3339>"}, or null for never. An error closes the socket as one of Init does. nil: such a ping is
	// one as any other.
	Renew func(ctx context.Context, payload json.RawMessage) (Session, error)

	CheckOrigin func(*http.Request) bool // whether a page of that Origin may connect; nil: SameOrigin. Else 403

	MaxSockets    int           // open sockets, beyond: 503 before the upgrade; 0: 20,000
	MaxOperations int           // operations of one socket, beyond: an error message TOO_MANY_REQUESTS; 0: 64
	MaxHeld       int64         // bytes that the documents and variables of these may take, beyond: the same; 0: 1 MiB
	MaxMessage    int64         // longest message of a client in bytes, beyond: close 1009; 0: 64 KiB
	InitTimeout   time.Duration // from the upgrade until connection_init is answered, beyond: close 4408; 0: 3 s
	Stall         time.Duration // longest time without progress while something waits to be written, beyond: cut; 0: 5 s
	MaxPending    int           // bytes that wait to be written, not counting the last message, beyond: cut; 0: 4 MiB
	SendBuffer    int           // the kernel's send buffer of a TCP connection in bytes; 0: 64 KiB, negative: the system's
	// Ping is the interval of ping frames; a client silent for two is cut; 0: 25 s, negative: never. Where the kernel ends a
	// connection on which nothing is acknowledged for two (TCP on Linux), messages are as good as pings, but for one in ten intervals.
	Ping time.Duration

	// Subscriptions executes what is subscribed to; nil: Subscriptions of its own, whose zero value is used.
	Subscriptions *Subscriptions

	Hooks Hooks
	Log   *slog.Logger // for what no client may see; nil: slog.Default()

	mu       sync.Mutex
	admitted int                  // sockets, and upgrades under way
	sockets  map[*socket]struct{} // upgraded
	closed   bool
	running  sync.WaitGroup // the goroutines of all that are admitted

	buffers sync.Pool // gorilla's write buffers
}

// Hooks are told what sockets do, for metrics. A nil one is skipped; the others must be quick and safe for concurrent
// use. OnConnect and OnDisconnect come in pairs, and so do OnSubscribe and OnComplete.
type Hooks struct {
	OnConnect    func()
	OnDisconnect func(code int) // the close code that was sent or received; 1006: the connection broke or was cut
	OnSubscribe  func()
	OnComplete   func()          // however the operation ended, when its goroutine has
	OnSend       func(bytes int) // of a frame with a message
}

var _ graphql.Transport = (*WebSocket)(nil)

// Supports implements graphql.Transport: it takes upgrades to WebSocket.
func (t *WebSocket) Supports(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// Do implements graphql.Transport: it upgrades the connection and returns, so that net/http's buffers and stack are free
// while the socket lives on in a goroutine of its own.
func (t *WebSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if !slices.Contains(r.Header.Values("Sec-Websocket-Version"), "13") {
		w.Header().Set("Sec-WebSocket-Version", "13")
		w.Header().Set("Upgrade", "websocket")
		writeResponse(w, mediaJSON, http.StatusUpgradeRequired, refusal(fault.New(fault.BadRequest, "the WebSocket version is 13")))
		return
	}
	offered := websocket.Subprotocols(r)
	if len(offered) > 0 && !slices.Contains(offered, Subprotocol) {
		refuse(w, mediaJSON, fault.New(fault.BadRequest, "the subprotocol is %s", Subprotocol))
		return
	}
	if err := t.admit(); err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	conn, err := t.upgrader().Upgrade(hijacker{w, t}, r, nil)
	if err != nil { // the upgrader has answered
		t.leave(nil)
		return
	}
	s := newSocket(t, conn, r, exec)
	closed := t.enter(s)
	go s.run()
	if closed {
		s.close(restarting, restartingReason)
	}
}

func (t *WebSocket) upgrader() *websocket.Upgrader {
	check := t.CheckOrigin
	if check == nil {
		check = SameOrigin
	}
	return &websocket.Upgrader{
		ReadBufferSize:  256,
		WriteBufferSize: 32 << 10,
		WriteBufferPool: &t.buffers,
		Subprotocols:    []string{Subprotocol},
		CheckOrigin:     check,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			code := fault.BadRequest
			if status == http.StatusForbidden {
				code = fault.Forbidden
			}
			refuse(w, mediaJSON, fault.Wrap(reason, code, "the upgrade to WebSocket is refused: %s", http.StatusText(status)))
		},
	}
}

// hijacker finds the connection behind the wrappers of middleware, and puts an outbox before it.
type hijacker struct {
	http.ResponseWriter
	transport *WebSocket
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t := h.transport
	out := newOutbox(conn, t.maxPending(), t.stall())
	tcp, ok := bare(conn).(*net.TCPConn)
	if ok && t.sendBuffer() > 0 {
		_ = tcp.SetWriteBuffer(t.sendBuffer()) // so that a client that stops reading is noticed soon
	}
	if ok && t.ping() > 0 {
		out.guarded = limitUnacknowledged(tcp, 2*t.ping())
	}
	return out, buffers, nil
}

// admit counts a socket in, unless the transport is full or closed. Each admission ends with leave.
func (t *WebSocket) admit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fault.New(fault.Unavailable, "the server is stopping")
	}
	if t.admitted >= cmp.Or(t.MaxSockets, 20_000) {
		return fault.New(fault.Unavailable, "too many sockets are open")
	}
	t.admitted++
	t.running.Add(1)
	return nil
}

// enter makes s known to Close. It reports whether Close was called since s was admitted and so has missed it.
func (t *WebSocket) enter(s *socket) (closed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sockets == nil {
		t.sockets = map[*socket]struct{}{}
	}
	t.sockets[s] = struct{}{}
	return t.closed
}

// leave ends an admission; s is nil if it never entered.
func (t *WebSocket) leave(s *socket) {
	t.mu.Lock()
	t.admitted--
	delete(t.sockets, s)
	t.mu.Unlock()
	t.running.Done()
}

const (
	restarting       = websocket.CloseServiceRestart
	restartingReason = "the server is restarting"
)

// Shutdown closes every socket with 1012 (service restart), on which clients connect again; see Close.
func (t *WebSocket) Shutdown(ctx context.Context) error {
	return t.Close(ctx, restarting, restartingReason)
}

// Close refuses further sockets with 503, closes the open ones with code and reason (cut to 123 bytes), cancels their
// operations and waits until all their goroutines have ended. When ctx ends first it cuts the connections and returns an
// error that wraps ctx's. There is no way back.
func (t *WebSocket) Close(ctx context.Context, code int, reason string) error {
	open := t.shut()
	for _, s := range open {
		s.close(code, reason)
	}
	ended := make(chan struct{})
	go func() {
		t.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		for _, s := range open {
			s.cut()
		}
		return fmt.Errorf("close sockets: %w", ctx.Err())
	}
}

// shut closes the door and returns who is inside.
func (t *WebSocket) shut() []*socket {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	open := make([]*socket, 0, len(t.sockets))
	for s := range t.sockets {
		open = append(open, s)
	}
	return open
}

// subscriptions is called after admission.
func (t *WebSocket) subscriptions() *Subscriptions {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Subscriptions == nil {
		t.Subscriptions = &Subscriptions{Log: t.Log}
	}
	return t.Subscriptions
}

func (t *WebSocket) maxOperations() int         { return cmp.Or(t.MaxOperations, 64) }
func (t *WebSocket) maxHeld() int64             { return cmp.Or(t.MaxHeld, 1<<20) }
func (t *WebSocket) maxMessage() int64          { return cmp.Or(t.MaxMessage, 64<<10) }
func (t *WebSocket) initTimeout() time.Duration { return cmp.Or(t.InitTimeout, 3*time.Second) }
func (t *WebSocket) stall() time.Duration       { return cmp.Or(t.Stall, 5*time.Second) }
func (t *WebSocket) maxPending() int            { return cmp.Or(t.MaxPending, 4<<20) }
func (t *WebSocket) sendBuffer() int            { return cmp.Or(t.SendBuffer, 64<<10) }
func (t *WebSocket) ping() time.Duration        { return cmp.Or(t.Ping, 25*time.Second) }
func (t *WebSocket) log() *slog.Logger          { return cmp.Or(t.Log, slog.Default()) }
