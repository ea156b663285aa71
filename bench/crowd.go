package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// crowd is many clients with a socket and one subscription each. What readings say is when they were sent, in
// microseconds, so that each client knows how long a message took.
type crowd struct {
	clients  []*listener
	received atomic.Int64 // readings, by all of them
	gone     atomic.Int64 // clients whose connection has ended
}

// listener is one client of a crowd.
type listener struct {
	conn     *websocket.Conn
	received atomic.Int64 // readings
	mu       sync.Mutex
	took     []time.Duration // of each message with readings
	last     []byte          // the last of these
	deaf     chan struct{}   // closed: it stops reading
}

// asked is what a client of a crowd subscribes to, with which credential.
type asked struct{ key, query string }

// gather connects n clients, and returns when each has got its first message.
func gather(ctx context.Context, url string, n int, ask func(i int) asked) (*crowd, error) {
	c := &crowd{clients: make([]*listener, n)}
	dialer := websocket.Dialer{
		Subprotocols: []string{"graphql-transport-ws"}, ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
		NetDialContext: (&net.Dialer{}).DialContext,
	}
	var group errgroup.Group
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			l, err := subscribeAs(ctx, &dialer, url, ask(i))
			c.clients[i] = l
			return err
		})
	}
	if err := group.Wait(); err != nil {
		c.close()
		return nil, err
	}
	for _, l := range c.clients {
		go c.listen(l)
	}
	return c, nil
}

func subscribeAs(ctx context.Context, dialer *websocket.Dialer, url string, a asked) (*listener, error) {
	conn, resp, err := dialer.DialContext(ctx, strings.Replace(url, "http", "ws", 1)+"/graphql", nil)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	query, err := json.Marshal(map[string]any{"query": a.query})
	if err != nil {
		return nil, err
	}
	for _, message := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer ` + a.key + `"}}`,
		`{"type":"subscribe","id":"1","payload":` + string(query) + `}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			return nil, err
		}
		_, got, err := conn.ReadMessage() // connection_ack, then caughtUp
		if err != nil {
			return nil, err
		}
		if bytes.Contains(got, []byte(`"errors"`)) || bytes.Contains(got, []byte(`"type":"error"`)) {
			return nil, fmt.Errorf("subscribe: %s", got)
		}
	}
	return &listener{conn: conn, deaf: make(chan struct{})}, nil
}

// listen notes each message until the connection ends, or the client is to stop reading.
func (c *crowd) listen(l *listener) {
	defer c.gone.Add(1)
	buffer := new(bytes.Buffer)
	for {
		select {
		case <-l.deaf:
			return
		default:
		}
		_, r, err := l.conn.NextReader()
		if err != nil {
			return
		}
		buffer.Reset()
		if _, err := io.Copy(buffer, r); err != nil {
			return
		}
		c.note(l, buffer.Bytes(), time.Now())
	}
}

var valueMark = []byte(`"value":`)

func (c *crowd) note(l *listener, message []byte, now time.Time) {
	n := int64(0)
	var sent float64
	for rest := message; ; n++ {
		i := bytes.Index(rest, valueMark)
		if i < 0 {
			break
		}
		rest = rest[i+len(valueMark):]
		if end := bytes.IndexAny(rest, ",}"); n == 0 && end > 0 {
			sent, _ = strconv.ParseFloat(string(rest[:end]), 64)
		}
	}
	if n == 0 {
		return
	}
	l.mu.Lock()
	l.took = append(l.took, time.Duration(now.UnixMicro()-int64(sent))*time.Microsecond)
	l.last = append(l.last[:0], message...)
	l.mu.Unlock()
	l.received.Add(n)
	c.received.Add(n)
}

// reset forgets what was received.
func (c *crowd) reset() {
	for _, l := range c.clients {
		l.mu.Lock()
		l.took = l.took[:0]
		l.mu.Unlock()
		l.received.Store(0)
	}
	c.received.Store(0)
}

// took returns how long each message took, to some of the clients: those of which which is true; nil: all.
func (c *crowd) took(which func(i int) bool) (all []time.Duration) {
	for i, l := range c.clients {
		if which == nil || which(i) {
			l.mu.Lock()
			all = append(all, l.took...)
			l.mu.Unlock()
		}
	}
	return all
}

// await returns when so many readings were received by all together.
func (c *crowd) await(ctx context.Context, readings int64, patience time.Duration) error {
	for deadline := time.Now().Add(patience); c.received.Load() < readings; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%d of %d readings have come", c.received.Load(), readings), ctx.Err())
		}
	}
	return nil
}

func (c *crowd) close() {
	for _, l := range c.clients {
		if l != nil {
			_ = l.conn.NetConn().Close()
		}
	}
}

// metric returns the value of a metric without labels.
func (b *bed) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// askAs sends a GraphQL request with a key and reads its data.
func (b *bed) askAs(ctx context.Context, key, query string, data any) error {
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Data   any
		Errors []struct{ Message string }
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return errors.New(answer.Errors[0].Message)
	}
	return nil
}
