package transport

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBusySocketIsPingedRarely(t *testing.T) {
	t.Parallel()
	onSilentClient(t, true, func(s *socket, kinds func() string) {
		messages := 0
		for range 249 {
			time.Sleep(time.Second) // synthetic
			s.send(s.ctx, nil, []byte("x"))
			messages++
		}
		synctest.Wait()
		if got := kinds(); got != strings.Repeat("\x01", messages) {
			t.Errorf("within 249 s the client got %d frames for %d messages, %d of them pings", len(got), messages, strings.Count(got, "\x09"))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := kinds(); !strings.HasSuffix(got, "\x09") {
			t.Error("no ping after ten intervals")
		}
	})
}

func TestSocketIsPingedOnceItIsQuiet(t *testing.T) {
	t.Parallel()
	for name, guarded := range map[string]bool{"guarded": true, "not guarded": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onSilentClient(t, guarded, func(s *socket, kinds func() string) {
				time.Sleep(time.Second) // synthetic
				s.send(s.ctx, nil, []byte("x"))
				time.Sleep(25 * time.Second)
				synctest.Wait()
				if got := kinds(); got != "\x01\x09" {
					t.Errorf("got frames %q", got)
				}
			})
		})
	}
}

func TestBusySocketIsPingedAsAnyWhereTheKernelDoesNotWatchIt(t *testing.T) {
	t.Parallel()
	onSilentClient(t, false, func(s *socket, kinds func() string) {
		for range 49 {
			time.Sleep(time.Second) // synthetic
			s.send(s.ctx, nil, []byte("x"))
		}
		synctest.Wait()
		if got := kinds(); strings.Count(got, "\x09") != 1 {
			t.Errorf("got %d pings", strings.Count(got, "\x09"))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !s.isClosing() {
			t.Error("the silent client is still there")
		}
	})
}

// A client that is dead acknowledges nothing. As long as something waits to be acknowledged the kernel ends the connection;
// this is about one that dies just after the last message.
func TestClientThatDiesAfterTheLastMessageIsCutWithinTwoIntervals(t *testing.T) {
	t.Parallel()
	for _, last := range []time.Duration{1, 12, 13, 24} {
		onSilentClient(t, true, func(s *socket, _ func() string) {
			time.Sleep(last * time.Second) // synthetic
			s.send(s.ctx, nil, []byte("x"))
			time.Sleep(50*time.Second + time.Millisecond)
			synctest.Wait()
			if !s.isClosing() {
				t.Errorf("50 s after a message at %d s the client is still there", last)
			}
		})
	}
}

// onSilentClient runs f in a bubble of synthetic time, with a socket whose client reads, and says nothing. kinds returns the
// kinds of the frames that it got.
func onSilentClient(t *testing.T, guarded bool, f func(s *socket, kinds func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ws := &WebSocket{InitTimeout: time.Hour}
		client, s := onPipe(t, ws)
		s.out.guarded = guarded
		if err := ws.admit(); err != nil {
			t.Fatal(err)
		}
		go s.run()
		got := &record{}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(got, client)
		}()
		f(s, func() string { return frameKinds(got.bytes()) })
		s.cut()
		<-read
	})
}

// record keeps what is written to it. Safe for concurrent use.
type record struct {
	mu  sync.Mutex
	all []byte
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p...)
	return len(p), nil
}

func (r *record) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func TestMessagesAreAsGoodAsPingsWhereTheKernelWatches(t *testing.T) {
	t.Parallel()
	f := func(ping time.Duration, want bool) {
		t.Helper()
		_, s := openGate(t, &WebSocket{Ping: ping}).join()
		tcp := bare(s.out.Conn).(*net.TCPConn)
		limit, known := unacknowledgedLimit(t, tcp)
		if known && limit != max(0, 2*ping) {
			t.Errorf("with pings each %v the kernel waits for %v", ping, limit)
		}
		if s.out.guarded != (want && known) {
			t.Errorf("with pings each %v guarded is %t", ping, s.out.guarded)
		}
	}
	f(25*time.Second, true)
	f(time.Minute, true)
	f(-1, false)
}
