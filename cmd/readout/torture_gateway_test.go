//go:build linux

package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
)

const (
	gateways       = 20
	gatewayMetrics = 3
	gatewayBatch   = 40 // readings in a request
	gatewayEvery   = 100 * time.Millisecond
)

// place says which reading of a gateway is meant.
type place struct {
	metric int8
	at     int64 // µs
}

// gateway is a client as careful as the documentation asks for: it sends a batch again until it is acknowledged, and then
// notes what it was. No two of its readings have the same value, so a value says where it belongs.
type gateway struct {
	id       int
	sender   sender.Sender
	random   *rand.Rand
	count    int               // values given out
	last     int64             // newest time, µs
	noted    map[place]float64 // all that was acknowledged, corrections in place of what they correct
	recent   []place           // some of noted, to correct
	failures error             // why it gave up

	refused atomic.Int64 // tries that were answered by 503 or 429 with Retry-After
	broken  atomic.Int64 // tries that failed in another way, such as a connection that broke
}

// newGateways returns gateways that send to url, however often the server behind it dies.
func newGateways(url, key string, seed uint64) []*gateway {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: gateways}}
	all := make([]*gateway, gateways)
	for i := range all {
		g := &gateway{id: i, random: rand.New(rand.NewPCG(seed, uint64(i))), noted: map[place]float64{}}
		g.sender = sender.Sender{URL: url, Key: key, HTTP: client, Patience: 2 * time.Minute, OnRetry: g.retry}
		all[i] = g
	}
	return all
}

// retry tells apart a server that says "later" and one that says nothing.
func (g *gateway) retry(r sender.Retry) {
	if f := fault.Of(r.Err); f.RetryAfter > 0 && (f.Code == fault.Unavailable || f.Code == fault.TooMany) {
		g.refused.Add(1)
	} else {
		g.broken.Add(1)
	}
}

// sending runs all gateways; the function that it returns has each of them send one more batch and waits until
// everything that they sent is acknowledged.
func sending(t *testing.T, all []*gateway) (finish func()) {
	t.Helper()
	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, g := range all {
		running.Go(func() { g.run(t.Context(), stop) })
	}
	return func() {
		t.Helper()
		close(stop)
		running.Wait()
		for _, g := range all {
			if g.failures != nil {
				t.Fatalf("gateway %d gave up: %v", g.id, g.failures)
			}
		}
	}
}

func (g *gateway) run(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(gatewayEvery)
	defer tick.Stop()
	for last := false; !last && g.failures == nil; {
		select {
		case <-stop:
			last = true
		case <-tick.C:
		}
		g.failures = g.send(ctx)
	}
}

// send sends one batch until it is acknowledged.
func (g *gateway) send(ctx context.Context) error {
	batch := g.batch()
	ack, err := g.sender.Send(ctx, g.body(batch))
	if err != nil {
		return err
	}
	if ack.Accepted != len(batch) {
		return fmt.Errorf("%d readings sent, %d accepted", len(batch), ack.Accepted)
	}
	for p, value := range batch {
		g.noted[p] = value
		if g.random.IntN(20) == 0 {
			g.recent = append(g.recent, p)
		}
	}
	g.recent = g.recent[max(0, len(g.recent)-500):]
	return nil
}

// batch makes up readings: most of now, some of days and months that are over, and some that correct earlier ones.
func (g *gateway) batch() map[place]float64 {
	batch := make(map[place]float64, gatewayBatch)
	kind := g.random.IntN(10)
	for range gatewayBatch {
		g.last = max(g.last+1, time.Now().UnixMicro())
		p := place{int8(g.random.IntN(gatewayMetrics)), g.last}
		switch {
		case kind == 0 && len(g.recent) > 0:
			p = g.recent[g.random.IntN(len(g.recent))]
		case kind == 1:
			p.at -= (2 + g.random.Int64N(3)) * 24 * time.Hour.Microseconds()
		case kind == 2:
			p.at -= (40 + g.random.Int64N(40)) * 24 * time.Hour.Microseconds()
		}
		batch[p] = g.value()
	}
	return batch
}

func (g *gateway) value() float64 {
	g.count++
	return float64(g.id)*1e9 + float64(g.count)
}

func (g *gateway) body(batch map[place]float64) []byte {
	body := []byte{'['}
	for metric := range int8(gatewayMetrics) {
		var times []int64
		var values []float64
		for p, value := range batch {
			if p.metric == metric {
				times, values = append(times, p.at), append(values, value)
			}
		}
		if len(times) == 0 {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = sender.AppendColumn(body, deviceName(g.id), metricName(metric), "", nil, times, values)
	}
	return append(body, ']')
}

func deviceName(id int) string      { return fmt.Sprintf("gateway-%d", id) }
func metricName(metric int8) string { return fmt.Sprintf("m%d", metric) }

// tries adds up what all gateways have counted.
func tries(all []*gateway) (sent int, refused, broken int64) {
	for _, g := range all {
		sent += g.count
		refused += g.refused.Load()
		broken += g.broken.Load()
	}
	return sent, refused, broken
}
