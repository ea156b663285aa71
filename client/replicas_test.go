package client_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/readout-dev/readout/client"
)

// full is how large the proof is that nobody misses or repeats anything: go test ./client -run TestNobodyMissesOrRepeats -full -timeout 30m -v.
var full = flag.Bool("full", false, "the proof with two servers ten times as large: some minutes")

// Eight writers at two servers on one database, which commits late; servers that die in turn, and many who listen, now to one and
// now to the other, through networks that break.
func TestNobodyMissesOrRepeatsWhatTwoServersStore(t *testing.T) {
	t.Parallel()
	readings, listeners, rounds := 10_000, 20, 2
	if *full {
		readings, listeners, rounds = 100_000, 100, 10
	}
	first := newHouse(t)
	second := first.neighbour()
	journal := openJournal(t, first)
	journal.dawdle()
	crowd := &crowd{t: t, news: make(chan struct{}, 1)}
	for i := range listeners {
		options := client.ReadingsOptions{}
		if i%4 == 3 {
			options.MaxRate = 20
		}
		crowd.wander([]*house{first, second}, options)
	}
	crowd.until("caught up", func(l *listener) bool { return l.caughtUp.Load() })

	w := &writers{at: []*house{first, second}, acknowledged: map[float64]bool{}}
	var writing sync.WaitGroup
	for i := range 8 {
		writing.Go(func() { w.run(i) })
	}
	defer writing.Wait()
	defer w.stop.Store(true)
	kills, cuts := 0, 0
	for ; kills < rounds || *full && w.count() < readings; kills++ {
		dies, survives := w.at[kills%len(w.at)], w.at[(kills+1)%len(w.at)]
		crowd.goOn()
		dies.server.kill()
		time.Sleep(50 * time.Millisecond) // the other one goes on alone
		dies.start()
		crowd.goOn()
		cuts += crowd.cut(survives) // which all have gone to
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
	stored := journal.readings()
	for _, r := range stored {
		delete(w.acknowledged, float64(r.value))
	}
	if len(w.acknowledged) > 0 {
		t.Errorf("%d readings were acknowledged and are not stored", len(w.acknowledged))
	}
	d := crowd.compare(stored)
	if *full {
		fmt.Printf("RESULT live-gaps readings=%d entries=%d late_commits=%d subscribers=%d kills=%d cuts=%d retries=%d missed=%d repeated=%d disordered=%d\n",
			len(stored), stored[len(stored)-1].offset, journal.late(), listeners, kills, cuts, crowd.retries(), d.missed, d.repeated, d.disordered)
	}
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
		if !w.post(w.at[i%len(w.at)], 1+rand.N(20)) {
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

// wander has somebody listen who goes to any of the houses each time that he connects.
func (c *crowd) wander(among []*house, o client.ReadingsOptions) {
	c.t.Helper()
	l := &listener{}
	from := among[0].client()
	from.Dialer = &websocket.Dialer{NetDialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		h := among[rand.IntN(len(among))]
		l.at.Store(h)
		return new(net.Dialer).DialContext(ctx, network, h.network.Listen)
	}}
	c.listen(l, from, o)
}

// cut has the sockets of all who are at a house cut by its network, and returns how many these are.
func (c *crowd) cut(h *house) (sockets int) {
	c.t.Helper()
	before := map[*listener]int64{}
	for _, l := range c.listeners {
		before[l] = l.retries.Load()
		if l.at.Load() == h {
			sockets++
		}
	}
	h.cut(20_000)
	c.until("cut off", func(l *listener) bool { return l.at.Load() != h || l.retries.Load() > before[l] })
	h.mend()
	return sockets
}

// retries is how often all together had to connect again.
func (c *crowd) retries() (n int64) {
	for _, l := range c.listeners {
		n += l.retries.Load()
	}
	return n
}

// differences is how many readings did not come, came again, and came in another place than the journal has them.
type differences struct{ missed, repeated, disordered int }

// compare expects everybody to have been told what is stored, each reading once, in the order of the journal, by the event that stands
// for its entry.
func (c *crowd) compare(journal []stored) (all differences) {
	c.t.Helper()
	places := map[int32]int{}
	for n, r := range journal {
		places[r.value] = n
	}
	for i, l := range c.listeners {
		d := l.compare(journal, places)
		if d != (differences{}) {
			c.t.Errorf("listener %d: of %d readings %d were missed, %d repeated and %d are not in their place", i, len(journal), d.missed, d.repeated, d.disordered)
		}
		for _, f := range l.faults {
			c.t.Errorf("listener %d: %s", i, f)
		}
		all.missed, all.repeated, all.disordered = all.missed+d.missed, all.repeated+d.repeated, all.disordered+d.disordered
	}
	return all
}

func (l *listener) compare(journal []stored, places map[int32]int) (d differences) {
	had := make([]bool, len(journal))
	next := 0 // place at least
	for _, r := range l.told {
		n, known := places[r.value]
		switch {
		case known && had[n]:
			d.repeated++
			continue
		case !known || n < next || journal[n].offset <= int64(r.after) || journal[n].offset > int64(r.upTo):
			d.disordered++
		}
		if known {
			had[n], next = true, n+1
		}
	}
	for _, is := range had {
		if !is {
			d.missed++
		}
	}
	return d
}
