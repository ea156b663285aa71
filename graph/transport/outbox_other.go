//go:build !unix

package transport

import "net"

// kernel is for systems where a socket can be written to without waiting.
type kernel struct{}

func newKernel(net.Conn) *kernel { return nil }

func (*kernel) write([]byte) (int, error) { return 0, nil }
