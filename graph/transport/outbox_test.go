package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// wires are what an outbox may have to write to. Each returns its two ends.
var wires = map[string]func(*testing.T) (client, server net.Conn){
	"tcp":  tightTCP,
	"pipe": func(*testing.T) (net.Conn, net.Conn) { return net.Pipe() },
	"tls":  overTLS,
}

// tightTCP is a connection with a small send buffer, so that many writes are taken in part. A small receive buffer would have the
// kernel wait 200 ms now and then, since no segment fits.
func tightTCP(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	_ = server.(*net.TCPConn).SetWriteBuffer(4096)
	return client, server
}

func overTLS(t *testing.T) (client, server net.Conn) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	client, server = tightTCP(t)
	client = tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	server = tls.Server(server, certified.TLS)
	t.Cleanup(func() { client.Close() })
	return client, server
}

func TestOutboxKeepsOrderForASlowReader(t *testing.T) {
	t.Parallel()
	for name, wire := range wires {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := wire(t)
			o := newOutbox(server, 64<<20, time.Hour)
			sent := make([]byte, 1<<20)
			for i := range sent {
				sent[i] = byte(rand.Uint32())
			}
			got := make(chan []byte, 1)
			go func() {
				got <- readSlowly(client, len(sent))
			}()
			for rest := sent; len(rest) > 0; {
				p := rest[:min(len(rest), 1+rand.IntN(10_000))]
				if n, err := o.Write(bytes.Clone(p)); n != len(p) || err != nil {
					t.Fatalf("wrote %d of %d: %v", n, len(p), err)
				}
				rest = rest[len(p):]
			}
			if !bytes.Equal(await(t, got, "all that was sent"), sent) {
				t.Error("something else came")
			}
			o.cut()
			o.drains.Wait()
		})
	}
}

func TestOutboxWritesNothingBeforeWhatIsKept(t *testing.T) {
	t.Parallel()
	client, server := tightTCP(t)
	o := newOutbox(server, 64<<20, time.Hour)
	gate := make(chan struct{})
	o.Conn = gatedConn{server, gate} // the drainer has to wait, the kernel has room again
	_, _ = o.Write(make([]byte, 1<<20))
	before := 1<<20 - o.Pending()
	if readSlowly(client, before) == nil {
		t.Fatal("the connection is over")
	}
	_, _ = o.Write([]byte("x"))
	close(gate)
	if rest := readSlowly(client, 1<<20-before+1); rest == nil || bytes.IndexByte(rest, 'x') != len(rest)-1 {
		t.Error("what was written last did not come last")
	}
	o.drains.Wait()
	_ = server.Close()
}

// gatedConn writes when the gate is open.
type gatedConn struct {
	net.Conn
	gate <-chan struct{}
}

func (c gatedConn) Write(p []byte) (int, error) {
	<-c.gate
	return c.Conn.Write(p)
}

// readSlowly reads n bytes, few at a time.
func readSlowly(r io.Reader, n int) []byte {
	all := make([]byte, 0, n)
	for len(all) < n {
		part, err := r.Read(all[len(all):min(len(all)+1+rand.IntN(5000), n)])
		if err != nil {
			return nil
		}
		all = all[:len(all)+part]
	}
	return all
}

func TestOutboxWritesWhatTheKernelTakesAtOnce(t *testing.T) { // not in parallel: it counts allocations
	client, server := tightTCP(t)
	o := newOutbox(server, 1<<20, time.Hour)
	defer o.cut()
	p := []byte("a message")
	allocated := testing.AllocsPerRun(100, func() {
		if n, err := o.Write(p); n != len(p) || err != nil || o.Pending() > 0 {
			t.Fatalf("wrote %d, %d are pending: %v", n, o.Pending(), err)
		}
		if _, err := io.ReadFull(client, p); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 0 {
		t.Errorf("a write allocates %v times", allocated)
	}
}

func TestOutboxTellsEachTimeItIsDrained(t *testing.T) {
	t.Parallel()
	client, server := tightTCP(t)
	o := newOutbox(server, 64<<20, time.Hour)
	drained := make(chan int, 1)
	o.onDrained(func() { drained <- o.Pending() })
	for range 3 {
		p := make([]byte, 1<<20)
		if _, err := o.Write(p); err != nil {
			t.Fatal(err)
		}
		if o.Pending() == 0 {
			t.Fatal("the kernel took a megabyte")
		}
		if got := readSlowly(client, len(p)); got == nil {
			t.Fatal("the connection is over")
		}
		if pending := await(t, drained, "the end of draining"); pending != 0 {
			t.Errorf("%d bytes are pending", pending)
		}
		o.drains.Wait() // no goroutine stays for an outbox that is empty
		if o.kept != nil {
			t.Error("its memory stays")
		}
	}
	if _, err := o.Write([]byte("x")); err != nil || o.Pending() > 0 {
		t.Errorf("the next write is kept: %v", err)
	}
	o.cut()
}

func TestOutboxCutsClientThatTakesNothing(t *testing.T) {
	t.Parallel()
	withOutbox(t, 5*time.Second, func(client net.Conn, o *outbox) {
		start := time.Now()
		_, _ = o.Write(make([]byte, chunk+10))
		time.Sleep(4 * time.Second)
		_, _ = io.ReadFull(client, make([]byte, chunk)) // and nothing from now on
		o.drains.Wait()
		if took := time.Since(start); took != 9*time.Second {
			t.Errorf("cut after %v", took)
		}
		if n, err := o.Write([]byte("x")); n != 0 || err == nil {
			t.Errorf("later writes: %d, %v", n, err)
		}
	})
}

func TestOutboxInAHurryIsLessPatient(t *testing.T) {
	t.Parallel()
	f := func(stall, whole, want time.Duration) {
		t.Helper()
		withOutbox(t, 5*time.Second, func(_ net.Conn, o *outbox) {
			start := time.Now()
			_, _ = o.Write([]byte("x"))
			time.Sleep(2 * time.Second)
			o.hurry(stall, whole)
			o.drains.Wait()
			if took := time.Since(start); took != want {
				t.Errorf("cut after %v, want %v", took, want)
			}
		})
	}
	f(time.Second, time.Minute, 3*time.Second)
	f(time.Minute, 2*time.Second, 4*time.Second)
}

func TestOutboxKeepsItsBound(t *testing.T) {
	t.Parallel()
	withOutbox(t, time.Hour, func(_ net.Conn, o *outbox) {
		if _, err := o.Write(make([]byte, 3000)); err != nil { // more than the bound of 1000, but nothing waited before
			t.Error(err)
		}
		if _, err := o.Write([]byte("x")); err == nil {
			t.Error("a write beyond the bound passed")
		}
		if o.Pending() > 0 {
			t.Errorf("%d bytes are kept after the end", o.Pending())
		}
		o.drains.Wait()
	})
}

func TestOutboxThatIsClosedBeforeItIsDrainedResets(t *testing.T) {
	t.Parallel()
	client, server := tightTCP(t)
	o := newOutbox(server, 64<<20, time.Hour)
	_, _ = o.Write(make([]byte, 1<<20))
	_ = o.Close()
	o.drains.Wait()
	if _, err := io.Copy(io.Discard, client); !errors.Is(err, syscall.ECONNRESET) { // so that the kernel keeps nothing either
		t.Errorf("got %v", err)
	}
}

func TestOutboxHasNoWriteDeadlines(t *testing.T) {
	t.Parallel()
	client, server := tightTCP(t)
	_ = server.SetWriteDeadline(time.Now().Add(-time.Hour))
	o := newOutbox(server, 1000, time.Hour)
	defer o.cut()
	_ = o.SetWriteDeadline(time.Now().Add(-time.Hour))
	_ = o.SetDeadline(time.Now().Add(-time.Hour))
	if _, err := o.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if _, err := o.Read(make([]byte, 1)); err == nil {
		t.Error("the deadline of reads is lost")
	}
}

func TestOutboxForgetsTheDeadlineOfItsDrainer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		late := &lateConn{Conn: server}
		o := newOutbox(late, 1000, time.Second)
		_, _ = o.Write([]byte("x"))
		_, _ = io.ReadFull(client, make([]byte, 1))
		o.drains.Wait()
		if !late.deadline.IsZero() {
			t.Errorf("the deadline of writes is %v", late.deadline)
		}
		_ = client.Close()
		_ = o.Close()
	})
}

// lateConn remembers its deadline of writes.
type lateConn struct {
	net.Conn
	deadline time.Time
}

func (c *lateConn) SetWriteDeadline(t time.Time) error {
	c.deadline = t
	return c.Conn.SetWriteDeadline(t)
}

// withOutbox runs f in a bubble of synthetic time, with an outbox of at most 1000 bytes on a connection without buffers.
func withOutbox(t *testing.T, stall time.Duration, f func(client net.Conn, o *outbox)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		client, server := net.Pipe()
		o := newOutbox(server, 1000, stall)
		f(client, o)
		_ = client.Close()
		_ = o.Close()
	})
}

// await fails the test unless ch gives something soon.
func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("no sign of: %s", what)
		panic("unreachable")
	}
}
