package client_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/readout-dev/readout/client"
)

// Eight writers at two servers on one database, which die in turn, and twenty who listen through networks that break.
func TestNobodyMissesOrRepeatsWhatTwoServersStore(t *testing.T) {
	t.Parallel()
	const readings = 10_000
	first := newHouse(t)
	second := first.neighbour()
	crowd := &crowd{t: t, news: make(chan struct{}, 1)}
	for i := range 20 {
		options := client.ReadingsOptions{}
		if i%4 == 3 {
			options.MaxRate = 20
		}
		crowd.join([]*house{first, second}[i%2].client(), options)
	}
	crowd.until("caught up", func(l *listener) bool { return l.caughtUp.Load() })

	w := &writers{at: []*house{first, second}, acknowledged: map[float64]bool{}}
	var writing sync.WaitGroup
	for i := range 8 {
		writing.Go(func() { w.run(i) })
	}
	defer writing.Wait()
	defer w.stop.Store(true)
	for round, dies := range w.at {
		crowd.goOn()
		dies.server.kill()
		time.Sleep(50 * time.Millisecond) // the other one goes on alone
		dies.start()
		crowd.goOn()
		dies.cut(20_000)
		crowd.until("cut off", func(l *listener) bool { return l.retries.Load() > 0 || round == 0 })
		dies.mend()
	}
	for w.count() < readings {
		crowd.goOn()
	}
	w.stop.Store(true)
	writing.Wait()
	for !w.post(first, end) {
		time.Sleep(10 * time.Millisecond)
	}
	crowd.wait()
	t.Logf("%d readings acknowledged of %d sent", w.count(), w.next.Load())
	crowd.check(&writer{house: first, acknowledged: w.acknowledged, sent: float64(w.next.Load())}, 0)
}

// neighbour is another server on the same database, with a network of its own.
func (h *house) neighbour() *house {
	h.t.Helper()
	n := &house{t: h.t, addr: "127.0.0.1:0", setting: h.setting, key: h.key}
	n.start()
	n.addr = strings.TrimPrefix(n.server.access.URL, "http://")
	h.t.Cleanup(func() { n.server.kill() })
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	n.network = toxiproxy.NewProxy(api, "neighbour", "127.0.0.1:0", n.addr)
	if err := n.network.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(n.network.Stop)
	return n
}

// writers send readings of which each is sent once, the value being the time in milliseconds.
type writers struct {
	at   []*house
	next atomic.Int64 // the newest time
	stop atomic.Bool

	mu           sync.Mutex
	acknowledged map[float64]bool
}

func (w *writers) run(i int) {
	for !w.stop.Load() {
		if !w.post(w.at[i%len(w.at)], 1+rand.N(9)) {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(rand.N(20 * time.Millisecond))
	}
}

// post sends the next n readings, in one entry or less; none of them is sent again, whatever became of them. With n = end it sends the
// reading that ends the test.
func (w *writers) post(to *house, n int) bool {
	var body []string
	var values []float64
	last := w.next.Add(int64(max(n, 1)))
	for at := last - int64(max(n, 1)) + 1; at <= last; at++ {
		value := float64(at)
		if n == end {
			value = end
		}
		values = append(values, value)
		body = append(body, fmt.Sprintf(`{"device": "d", "metric": "m", "time": %d, "value": %.0f}`, at, value))
	}
	if to.post("/v1/readings", to.key, "["+strings.Join(body, ",")+"]") != http.StatusOK {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range values {
		w.acknowledged[v] = true
	}
	return true
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}
