package transport_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/graph/transport"
)

const flood = `{"id":"%s","type":"subscribe","payload":{"query":"subscription{flood(bytes:%d)}"}}`

func TestStalledClientIsCutWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	codes := make(chan int, 1)
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Stall = 500 * time.Millisecond
		ws.Hooks.OnDisconnect = func(code int) {
			select {
			case codes <- code:
			default:
			}
		}
	})
	other := w.join(t)
	other.send(ticks, "1")
	wait(t, w.began, "a subscription")
	stalled := w.join(t) // and reads no more
	for i := range 3 {
		stalled.send(flood, fmt.Sprint(i), 100_000)
		wait(t, w.began, "a flood")
	}
	start := time.Now()
	for i := 0; ; i++ {
		w.ticks <- i
		other.expect(fmt.Sprintf(tick, "1", i))
		select {
		case code := <-codes:
			if code != 1006 {
				t.Errorf("want 1006, got %d", code)
			}
			return
		default:
		}
		if time.Since(start) > patience {
			t.Fatal("the stalled client is still there")
		}
	}
}

func TestStalledClientDoesNotHoldUpShutdown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	stalled := w.join(t) // and reads no more
	stalled.send(flood, "1", 100_000)
	wait(t, w.began, "a flood")
	start := time.Now()
	if err := w.ws.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 4*time.Second { // Stall is 5 s, after which it would be cut anyway
		t.Errorf("Shutdown took %v", took)
	}
}

func TestSlowReaderGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	const n = 20_000
	c := setup(t).join(t)
	for id := range 2 {
		c.send(`{"id":"%d","type":"subscribe","payload":{"query":"subscription{count(to:%d)}"}}`, id, n)
	}
	next := map[string]int{}
	for range 2 * (n + 1) {
		got, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		id := got[7:8]
		next[id]++
		want := fmt.Sprintf(`{"id":"%s","type":"next","payload":{"data":{"count":%d}}}`, id, next[id])
		if next[id] == n+1 {
			want = fmt.Sprintf(complete, id)
		}
		if got != want {
			t.Fatalf("want %s, got %s", want, got)
		}
	}
}

func TestCrowdLeavesAbruptlyAndNothingStays(t *testing.T) {
	t.Parallel()
	var open, running atomic.Int64
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Hooks = transport.Hooks{
			OnConnect:    func() { open.Add(1) },
			OnDisconnect: func(int) { open.Add(-1) },
			OnSubscribe:  func() { running.Add(1) },
			OnComplete:   func() { running.Add(-1) },
		}
	})
	var crowd sync.WaitGroup
	for i := range 300 {
		crowd.Go(func() {
			if err := w.visit(i); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	crowd.Wait()
	if err := w.ws.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.subs.Close()
	if subscribers, feeds := w.subs.Counts(); subscribers != 0 || feeds != 0 {
		t.Errorf("%d subscribers and %d feeds stay", subscribers, feeds)
	}
	if open.Load() != 0 || running.Load() != 0 {
		t.Errorf("%d sockets and %d operations stay", open.Load(), running.Load())
	}
}

// visit connects, starts two subscriptions, reads a result and leaves without a word.
func (w *world) visit(i int) error {
	c, err := w.connect(nil)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	says := []string{`{"type":"connection_init"}`, fmt.Sprintf(ticks, "1"), fmt.Sprintf(flood, "2", 10)}
	hears := []string{`{"type":"connection_ack"}`, "", `{"id":"2","type":"next","payload":{"data":{"flood":"xxxxxxxxxx"}}}`}
	for j := range says {
		if err := c.WriteMessage(websocket.TextMessage, []byte(says[j])); err != nil {
			return err
		}
		if hears[j] == "" {
			continue
		}
		if _, got, err := c.ReadMessage(); err != nil || string(got) != hears[j] {
			return fmt.Errorf("want %s, got %s %w", hears[j], got, err)
		}
	}
	if i%2 == 0 {
		return c.NetConn().(*net.TCPConn).SetLinger(0) // a reset in place of an orderly end
	}
	return nil
}
