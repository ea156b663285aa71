package transport

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// outbox is a connection whose Write never blocks: what the kernel does not take at once is kept, and written by a
// goroutine that lives only while something is kept (its drainer). Writes reach the client in their order. The client
// that takes nothing for as long as stall, or for whom more than most bytes are kept, is cut.
//
// Write deadlines are the drainer's alone: SetWriteDeadline does nothing. Reads go straight to the connection. Safe for
// concurrent use.
type outbox struct {
	net.Conn
	kernel  *kernel // nil: the connection cannot be tried, so the drainer writes everything
	guarded bool    // the kernel ends the connection where what was written is not acknowledged
	most    int     // bytes kept, beyond: the connection is cut
	drains  sync.WaitGroup

	pending atomic.Int64 // len(kept)

	mu       sync.Mutex
	kept     []byte
	draining bool
	drained  func()
	stall    time.Duration // the longest time without progress
	until    time.Time     // when draining ends at the latest; zero: never
	over     error         // why the connection is over; nil: it is not
}

// chunk is the longest write of the drainer: what a client must take within stall to be kept.
const chunk = 16 << 10

func newOutbox(conn net.Conn, most int, stall time.Duration) *outbox {
	_ = conn.SetWriteDeadline(time.Time{}) // one that the HTTP server has set
	return &outbox{Conn: conn, kernel: newKernel(conn), most: most, stall: stall}
}

// Write takes all of p, which it does not keep, or returns why the connection is over. What exceeds most is refused only
// where as much was kept before, so that one write, however long, always passes.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		return 0, o.over
	}
	if len(o.kept) > o.most {
		return 0, o.end(fmt.Errorf("%d bytes wait for a client that does not read", len(o.kept)))
	}
	taken := 0
	if o.kernel != nil && len(o.kept) == 0 {
		n, err := o.kernel.write(p)
		if err != nil {
			return n, o.end(err)
		}
		taken = n
	}
	if taken < len(p) {
		o.keep(p[taken:])
	}
	return len(p), nil
}

// Pending returns how many bytes are kept. It does not lock.
func (o *outbox) Pending() int { return int(o.pending.Load()) }

// onDrained has f called each time Pending has fallen to 0, by the drainer, which goes on when f returns.
func (o *outbox) onDrained(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drained = f
}

// hurry has the client cut that takes nothing for as long as stall, or not all that is kept within whole, from now on.
func (o *outbox) hurry(stall, whole time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stall, o.until = stall, time.Now().Add(whole)
	if len(o.kept) > 0 {
		_ = o.Conn.SetWriteDeadline(o.deadline())
	}
}

// deadline returns when the client must have taken what is being written. It is called with the lock held.
func (o *outbox) deadline() time.Time {
	d := time.Now().Add(o.stall)
	if !o.until.IsZero() && o.until.Before(d) {
		return o.until
	}
	return d
}

// keep has the drainer write p. It is called with the lock held.
func (o *outbox) keep(p []byte) {
	o.kept = append(o.kept, p...)
	o.pending.Store(int64(len(o.kept)))
	if !o.draining {
		o.draining = true
		o.drains.Go(o.drain)
	}
}

// drain writes what is kept until nothing is.
func (o *outbox) drain() {
	for p := o.next(); p != nil; p = o.next() {
		n, err := o.Conn.Write(p)
		if err != nil {
			o.cut()
			return
		}
		if f := o.wrote(n); f != nil {
			f()
		}
	}
}

// next returns what to write next, or nil if nothing is kept. Its bytes stay as they are while others are appended.
func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.kept) == 0 {
		o.draining = false
		return nil
	}
	_ = o.Conn.SetWriteDeadline(o.deadline())
	return o.kept[:min(len(o.kept), chunk)]
}

// wrote lets go of the first n bytes. If they were the last ones it returns whom to tell.
func (o *outbox) wrote(n int) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		return nil
	}
	o.kept = o.kept[n:]
	o.pending.Store(int64(len(o.kept)))
	if len(o.kept) > 0 {
		return nil
	}
	o.kept = nil
	_ = o.Conn.SetWriteDeadline(time.Time{}) // it would also end the next try of the kernel
	return o.drained
}

// SetWriteDeadline does nothing: no write waits.
func (o *outbox) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline of reads.
func (o *outbox) SetDeadline(t time.Time) error { return o.SetReadDeadline(t) }

// Close ends the connection. What is kept is lost; the client then sees a reset in place of an orderly end.
func (o *outbox) Close() error {
	if o.Pending() > 0 {
		o.cut()
		return nil
	}
	o.mu.Lock()
	o.stop(net.ErrClosed)
	o.mu.Unlock()
	return o.Conn.Close()
}

// cut ends the connection without a word; what the kernel still holds for a client that does not read is dropped.
func (o *outbox) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.end(net.ErrClosed)
}

// end is cut with a reason, which it returns. It is called with the lock held.
func (o *outbox) end(reason error) error {
	o.stop(reason)
	conn := bare(o.Conn) // whose Close does not try to say goodbye
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return reason
}

// stop has all later writes fail. It is called with the lock held.
func (o *outbox) stop(reason error) {
	if o.over == nil {
		o.over = reason
	}
	o.kept = nil
	o.pending.Store(0)
}

// bare returns the connection under TLS, if there is TLS.
func bare(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}
