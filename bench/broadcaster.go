package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// The ceiling of what is live: a server that knows nothing but its sockets. It greets each client as graphql-transport-ws
// does, and writes what is posted to /publish to all of them, prepared once. It runs as a process of its own, which is this
// program with this as its only argument.
const broadcasterName = "broadcaster"

// broadcast runs the broadcaster until its standard input ends.
func broadcast() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var b broadcaster
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", b.greet)
	mux.HandleFunc("/publish", b.publish)
	go func() { _ = http.Serve(listener, mux) }() //nolint:gosec // loopback, and as bare as it can be
	fmt.Println("http://" + listener.Addr().String())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

type broadcaster struct {
	mu    sync.Mutex
	conns []*websocket.Conn
}

func (b *broadcaster) greet(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferPool: &buffers, Subprotocols: []string{"graphql-transport-ws"}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	go func() {
		defer conn.Close()
		for _, answer := range []string{`{"type":"connection_ack"}`, `{"id":"1","type":"next","payload":{"data":{}}}`} {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
			if err := conn.WriteMessage(websocket.TextMessage, []byte(answer)); err != nil {
				return
			}
		}
		b.mu.Lock()
		b.conns = append(b.conns, conn)
		b.mu.Unlock()
		for {
			if _, _, err := conn.NextReader(); err != nil {
				return
			}
		}
	}()
}

var buffers sync.Pool

func (b *broadcaster) publish(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return
	}
	b.mu.Lock()
	conns := b.conns
	b.mu.Unlock()
	for _, conn := range conns {
		_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_ = conn.WritePreparedMessage(message)
	}
	w.WriteHeader(http.StatusNoContent)
}

// ceiling is a broadcaster that runs.
type ceiling struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
}

func newCeiling(ctx context.Context) (*ceiling, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, broadcasterName)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	return &ceiling{strings.TrimSpace(url), cmd, stdin}, err
}

func (c *ceiling) publish(message []byte) error {
	resp, err := http.Post(c.url+"/publish", "application/json", strings.NewReader(string(message)))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (c *ceiling) close() error { return errors.Join(c.stdin.Close(), c.cmd.Wait()) }
