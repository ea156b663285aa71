package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// socket is a connection of graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) with one
// subscription. One goroutine reads; a timer renews the rights.
type socket struct {
	client    *Client
	conn      *websocket.Conn
	ctx       context.Context // ends with the socket
	end       context.CancelFunc
	token     Token // that it was opened with
	confirmed bool  // the server has accepted it

	mu    sync.Mutex  // gorilla wants one writer at a time
	timer *time.Timer // nil: the rights do not end, or the socket is closed
}

// message is one of the protocol's.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// payload is what a message `next` has.
type payload struct {
	Data       json.RawMessage
	Errors     Errors
	Extensions json.RawMessage
	Patch      json.RawMessage
	Revision   int64
}

// patience is how long a step of the protocol may take.
const patience = 15 * time.Second

// connect opens a connection on which the server has accepted the credential. It ends with ctx.
func (c *Client) connect(ctx context.Context) (*socket, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &socket{client: c, conn: conn, token: token}
	s.ctx, s.end = context.WithCancel(ctx)
	context.AfterFunc(s.ctx, func() { _ = conn.Close() }) // which ends what reads and writes
	conn.SetPingHandler(func(data string) error {
		_ = conn.SetReadDeadline(time.Now().Add(c.silence()))
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(patience)) // whether it broke, the reader finds out
		return nil
	})
	if err := s.greet(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// token asks for the credential.
func (c *Client) token(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t, err := c.credential(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("get a credential: %w", err)
	}
	return t, nil
}

func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dialer := *c.dialer()
	dialer.Subprotocols = []string{"graphql-transport-ws"}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.url, "http"), nil)
	if resp != nil {
		defer resp.Body.Close()
	}
	if err == nil || resp == nil {
		return conn, err
	}
	told, _ := io.ReadAll(resp.Body) // gorilla keeps the beginning
	return nil, statusOf(resp, told)
}

// greet shows the credential.
func (s *socket) greet() error {
	if err := s.say(message{Type: "connection_init", Payload: authorization(s.token)}); err != nil {
		return err
	}
	m, err := s.hear(patience)
	if err != nil {
		return err
	}
	if m.Type != "connection_ack" {
		return fmt.Errorf("the server begins with %q", m.Type)
	}
	s.confirmed = true
	s.renewAt(s.token.Expires)
	return nil
}

func authorization(t Token) json.RawMessage {
	p, _ := json.Marshal(map[string]string{"authorization": "Bearer " + t.Text})
	return p
}

// renewAt has the rights renewed when a quarter of the time is left until they expire.
func (s *socket) renewAt(expires time.Time) {
	if expires.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.timer = time.AfterFunc(max(time.Until(expires)*3/4, time.Second), func() { s.renew(expires) })
	}
}

// renew renews the rights, which end at expires. Where that fails it is tried again; too late the server closes the socket.
func (s *socket) renew(expires time.Time) {
	token, err := s.client.token(s.ctx)
	if err == nil {
		expires = token.Expires
		err = s.say(message{Type: "ping", Payload: authorization(token)})
	}
	if err != nil && !time.Now().Before(expires) {
		return
	}
	s.renewAt(expires)
}

// subscribe begins the subscription.
func (s *socket) subscribe(r Request) error {
	p, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	return s.say(message{ID: "1", Type: "subscribe", Payload: p})
}

// next returns the next result; nil and no error: there is no further one.
func (s *socket) next() (*payload, error) {
	m, err := s.hear(s.client.silence())
	if err != nil {
		return nil, err
	}
	switch m.Type {
	case "next":
		var p payload
		if err := json.Unmarshal(m.Payload, &p); err != nil {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		return &p, nil
	case "error":
		var errs Errors
		if err := json.Unmarshal(m.Payload, &errs); err != nil {
			return nil, fmt.Errorf("read an error: %w", err)
		}
		return nil, errs
	case "complete":
		return nil, nil
	}
	return nil, fmt.Errorf("the server says %q", m.Type)
}

// hear returns the next message that is not about the connection itself. The server may be silent for so long.
func (s *socket) hear(silence time.Duration) (message, error) {
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(silence))
		_, text, err := s.conn.ReadMessage()
		if err != nil {
			return message{}, s.why(err)
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			return message{}, fmt.Errorf("read a message: %w", err)
		}
		switch m.Type {
		case "ping":
			if err := s.say(message{Type: "pong", Payload: m.Payload}); err != nil {
				return message{}, err
			}
		case "pong":
		default:
			return m, nil
		}
	}
}

// why returns the error of a connection that has ended.
func (s *socket) why(err error) error {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return fmt.Errorf("read from the connection: %w", err)
	}
	return &CloseError{Code: closed.Code, Reason: closed.Text, renewable: s.confirmed && !s.token.Expires.IsZero()}
}

func (s *socket) say(m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
	if err := s.conn.WriteJSON(m); err != nil {
		return fmt.Errorf("write to the connection: %w", err)
	}
	return nil
}

// close says good-bye, which the server does not have to answer.
func (s *socket) close() {
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	s.end()
}
