package client_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/client"
)

func TestReadingsComeOnceThoughServersDieAndConnectionsBreak(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := &writer{house: h, acknowledged: map[float64]bool{}}
	for range 100 {
		w.send(w.sent + 1)
	}
	crowd := &crowd{t: t, news: make(chan struct{}, 1)}
	crowd.join(h.client(), client.ReadingsOptions{})
	crowd.join(h.client(), client.ReadingsOptions{Series: map[string]any{"metric": "m"}, MaxRate: 20})
	crowd.join(h.client(), client.ReadingsOptions{From: time.UnixMilli(1)}).fromTheFirst = true
	crowd.until("caught up", func(l *listener) bool { return l.caughtUp.Load() })
	began := w.sent

	var writing sync.WaitGroup
	writing.Go(w.run)
	defer writing.Wait()
	defer w.stop.Store(true)
	for round := range int64(2) {
		crowd.goOn()
		h.server.kill()
		h.start()
		crowd.goOn()
		h.network.Stop()
		if err := h.network.Start(); err != nil {
			t.Fatal(err)
		}
		crowd.goOn()
		h.cut(5000)
		crowd.until("cut off", func(l *listener) bool { return l.retries.Load() > 3*round+2 })
		h.mend()
	}
	crowd.goOn()
	w.stop.Store(true)
	writing.Wait()
	crowd.wait()
	t.Logf("%d readings acknowledged of %.0f sent", len(w.acknowledged), w.sent)
	crowd.check(w, began)
}

// writer sends readings one after the other, the value being the time in milliseconds. None is sent twice: what was not
// acknowledged may be stored or not.
type writer struct {
	*house
	acknowledged map[float64]bool
	sent         float64 // the newest time
	stop         atomic.Bool
}

// end is the value of the last reading.
const end = 0

func (w *writer) run() {
	for !w.stop.Load() {
		w.send(w.sent + 1)
	}
	for !w.send(end) {
	}
}

func (w *writer) send(value float64) (acknowledged bool) {
	w.sent++
	body := fmt.Sprintf(`{"device": "d", "metric": "m", "time": %.0f, "value": %.0f}`, w.sent, value)
	if w.post("/v1/readings", w.key, body) != http.StatusOK {
		time.Sleep(10 * time.Millisecond) // it comes back as a process, which tells nobody here
		return false
	}
	w.acknowledged[value] = true
	return true
}

// crowd is all who listen.
type crowd struct {
	t         *testing.T
	listeners []*listener
	following sync.WaitGroup
	news      chan struct{} // one of them has got something, or has to try again
}

// listener notes what a subscription tells.
type listener struct {
	fromTheFirst bool                  // that was sent
	at           atomic.Pointer[house] // where it has gone to; nil: there is only one
	caughtUp     atomic.Bool
	retries      atomic.Int64
	heard        atomic.Int64
	told         []told // in the order in which it came
	faults       []string
}

// told is a reading that has come, between the offset of the event before and that of its own. Small: there are millions.
type told struct{ value, after, upTo int32 }

func (c *crowd) join(from *client.Client, o client.ReadingsOptions) *listener {
	l := &listener{}
	c.listen(l, from, o)
	return l
}

func (c *crowd) listen(l *listener, from *client.Client, o client.ReadingsOptions) {
	from.OnRetry = func(error, time.Duration) { l.retries.Add(1); c.tell() }
	c.listeners = append(c.listeners, l)
	c.following.Go(func() {
		if err := c.follow(within(c.t), l, from, o); err != nil {
			c.t.Errorf("a listener ends with %v", err)
		}
	})
}

func (c *crowd) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *crowd) follow(ctx context.Context, l *listener, from *client.Client, o client.ReadingsOptions) error {
	place := int64(0)
	for e, err := range from.Readings(ctx, o) {
		if err != nil {
			return err
		}
		if e.Anew {
			l.told = l.told[:0]
		}
		if e.Cursor != "" && e.Offset <= place && len(e.Readings) > 0 {
			l.faults = append(l.faults, fmt.Sprintf("offset %d after %d", e.Offset, place))
		}
		ended := false
		for _, r := range e.Readings {
			l.told = append(l.told, told{value: int32(r.Value), after: int32(place), upTo: int32(e.Offset)})
			ended = ended || r.Value == end
			if r.Series.Device.Name != "d" || r.Value != end && r.Time.UnixMilli() != int64(r.Value) {
				l.faults = append(l.faults, fmt.Sprintf("%+v", r))
			}
		}
		place = max(place, e.Offset)
		l.heard.Add(int64(len(e.Readings)))
		if e.CaughtUp {
			l.caughtUp.Store(true)
		}
		c.tell()
		if ended {
			return nil
		}
	}
	return nil
}

// until waits until all have come to something.
func (c *crowd) until(what string, has func(*listener) bool) {
	c.t.Helper()
	ctx := within(c.t)
	for i, l := range c.listeners {
		for !has(l) {
			select {
			case <-c.news:
			case <-ctx.Done():
				c.t.Fatalf("listener %d is not %s", i, what)
			}
		}
	}
}

// goOn waits until all have heard some more.
func (c *crowd) goOn() {
	c.t.Helper()
	for _, l := range c.listeners {
		enough := l.heard.Load() + 20
		c.until("told of more", func(other *listener) bool { return other != l || l.heard.Load() >= enough })
	}
}

func (c *crowd) wait() { c.following.Wait() }

// check expects each reading once that was acknowledged, of those who came later after began.
func (c *crowd) check(w *writer, began float64) {
	c.t.Helper()
	for i, l := range c.listeners {
		seen := map[float64]int{}
		for _, r := range l.told {
			seen[float64(r.value)]++
		}
		for value := range w.acknowledged {
			if seen[value] == 0 && (l.fromTheFirst || value > began) {
				l.faults = append(l.faults, fmt.Sprintf("has missed %.0f", value))
			}
		}
		for value, times := range seen {
			if times > 1 || value > w.sent {
				l.faults = append(l.faults, fmt.Sprintf("had %.0f %d times", value, times))
			}
		}
		for _, f := range l.faults {
			c.t.Errorf("listener %d: %s", i, f)
		}
		c.t.Logf("listener %d: %d readings, connected again %d times", i, l.heard.Load(), l.retries.Load())
	}
}
