package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// gauges is what a server weighs.
type gauges struct {
	rss, heap                        float64 // MiB: resident, and in use by Go
	held                             float64 // MiB: stored readings that are kept in memory, within limits of their own
	goroutines, subscriptions, feeds float64
	connections                      float64 // WebSockets and streams
	fds                              float64 // open file descriptors
	processor                        float64 // in percent of one core
}

var gaugeNames = []string{"RSS MiB", "heap MiB", "held MiB", "goroutines", "subscriptions", "feeds", "connections", "descriptors", "CPU %"}

func (g gauges) row(name string) []string {
	return []string{
		name, fmt.Sprintf("%.1f", g.rss), fmt.Sprintf("%.1f", g.heap), fmt.Sprintf("%.1f", g.held), fmt.Sprintf("%.0f", g.goroutines), fmt.Sprintf("%.0f", g.subscriptions),
		fmt.Sprintf("%.0f", g.feeds), fmt.Sprintf("%.0f", g.connections), fmt.Sprintf("%.0f", g.fds), fmt.Sprintf("%.0f", g.processor),
	}
}

// weigh weighs the server now, but for its processor time.
func (b *bed) weigh(ctx context.Context) (g gauges, err error) {
	rss, err := residentMemory(b.server.Process.Pid)
	if err != nil {
		return g, err
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.server.Process.Pid))
	if err != nil {
		return g, err
	}
	m, err := b.metrics(ctx)
	if err != nil {
		return g, err
	}
	return gauges{
		rss: float64(rss) / (1 << 20), heap: m["go_memstats_heap_inuse_bytes"] / (1 << 20), goroutines: m["go_goroutines"],
		held:          (m["readout_history_cache_bytes"] + m["readout_tail_bytes"]) / (1 << 20),
		subscriptions: m["readout_subscriptions"], feeds: m["readout_subscription_feeds"],
		connections: m["readout_sockets_open"] + m["readout_streams_open"], fds: float64(len(fds)),
	}, nil
}

// metrics returns the metrics without labels.
func (b *bed) metrics(ctx context.Context) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all := make(map[string]float64)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			all[name] = value
		}
	}
	return all, lines.Err()
}

// watch weighs the server for so long, each second, and returns and prints the mean of each period.
func (s *soak) watch(ctx context.Context, whole, period time.Duration) (means []gauges, err error) {
	began := time.Now()
	used, err := processCPU(s.bed.server.Process.Pid)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%8s  %9s  %s\n", "", "connects", strings.Join(gaugeNames, "  "))
	for end := began.Add(period); !end.After(began.Add(whole)); end = end.Add(period) {
		var all []gauges
		for ; time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Second) {
			g, err := s.bed.weigh(ctx)
			if err != nil {
				return nil, err
			}
			all = append(all, g)
		}
		now, err := processCPU(s.bed.server.Process.Pid)
		if err != nil || ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		g := mean(all)
		g.processor = (now - used).Seconds() / period.Seconds() * 100
		used = now
		means = append(means, g)
		row := g.row(time.Since(began).Round(time.Second).String())
		fmt.Printf("%8s  %9d", row[0], s.connects.Load())
		for i, cell := range row[1:] {
			fmt.Printf("  %*s", len(gaugeNames[i]), cell)
		}
		fmt.Println()
	}
	return means, nil
}

// mean returns the mean of each gauge.
func mean(all []gauges) (m gauges) {
	n := float64(len(all))
	for _, g := range all {
		m.rss += g.rss / n
		m.heap += g.heap / n
		m.held += g.held / n
		m.goroutines += g.goroutines / n
		m.subscriptions += g.subscriptions / n
		m.feeds += g.feeds / n
		m.connections += g.connections / n
		m.fds += g.fds / n
		m.processor += g.processor / n
	}
	return m
}

// calm waits until nobody is there and the goroutines do not become fewer any more, a minute at most, and weighs the server.
func (s *soak) calm(ctx context.Context) (g gauges, err error) {
	last := math.Inf(1)
	for deadline, steady := time.Now().Add(time.Minute), 0; steady < 15 && time.Now().Before(deadline); time.Sleep(time.Second) {
		if g, err = s.bed.weigh(ctx); err != nil {
			return g, err
		}
		steady++
		if g.subscriptions+g.feeds+g.connections > 0 || g.goroutines < last {
			steady = 0
		}
		last = g.goroutines
	}
	return g, nil
}
