package main

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// line is a client's connection, which can be cut without a word, or take nothing in for a while.
type line struct {
	*net.TCPConn
	gate sync.Mutex // held: nothing is taken in
}

func (l *line) Read(p []byte) (int, error) {
	l.gate.Lock()
	l.gate.Unlock() //nolint:staticcheck // it is a gate: nothing is done behind it
	return l.TCPConn.Read(p)
}

// cut ends the connection: one half of them orderly for TCP, the other by a reset.
func (l *line) cut() {
	if rand.IntN(2) == 0 {
		_ = l.SetLinger(0)
	}
	_ = l.TCPConn.Close()
}

// stall takes nothing in for so long.
func (l *line) stall(d time.Duration) {
	l.gate.Lock()
	time.AfterFunc(d, l.gate.Unlock)
}

// lines are the connections of one client, one after the other.
type lines struct {
	narrow bool // they hold little that is not read
	made   atomic.Int64
	last   atomic.Pointer[line]
}

func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	if l.narrow {
		_ = tcp.SetReadBuffer(4096)
	}
	made := &line{TCPConn: tcp}
	l.made.Add(1)
	l.last.Store(made)
	return made, nil
}

// cut cuts the connection that there is.
func (l *lines) cut() {
	if last := l.last.Load(); last != nil {
		last.cut()
	}
}

// stall has the connection that there is take nothing in.
func (l *lines) stall(d time.Duration) {
	if last := l.last.Load(); last != nil {
		last.stall(d)
	}
}
