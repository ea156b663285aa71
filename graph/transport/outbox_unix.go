//go:build unix

package transport

import (
	"cmp"
	"net"
	"syscall"
)

// kernel writes to the send buffer of a socket as far as there is room, without waiting. One goroutine at a time.
type kernel struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // made once, so that a write does not allocate

	// Of the write under way.
	p   []byte
	n   int
	err error
}

// newKernel returns nil if conn is not a bare socket: what wraps one may change what passes.
func newKernel(conn net.Conn) *kernel {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	k := &kernel{raw: raw}
	k.try = k.once
	return k
}

// write returns how many bytes the kernel has taken, 0 if there is no room, and an error if the connection is over.
func (k *kernel) write(p []byte) (int, error) {
	k.p, k.n, k.err = p, 0, nil
	err := k.raw.Write(k.try)
	k.p = nil
	return k.n, cmp.Or(err, k.err)
}

// once is one write(2); it always returns true, which keeps RawConn from waiting.
func (k *kernel) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), k.p)
		switch err {
		case syscall.EINTR:
			continue
		case nil:
			k.n = n
		case syscall.EAGAIN:
		default:
			k.err = err
		}
		return true
	}
}
