package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scenarios of many subscribers share one load: devices d0, d1, … with ten metrics, whose values say when they were sent.

const metrics = 10

// chart is the operation that draws one device.
func (b *bed) chart(device int) asked {
	return asked{b.key, fmt.Sprintf(`subscription { readings(project: %q, series: {hasDeviceWith: {name: "d%d"}}) { cursor caughtUp readings { time value series { id } } } }`, b.project, device)}
}

// watch is the operation that draws one series of what ingest sends, twice a second.
func (b *bed) watch(series int) asked {
	return asked{b.key, fmt.Sprintf(`subscription { readings(project: %q, series: {metric: "m%d", hasDeviceWith: {name: "d%d"}}, maxRate: 2, maxPoints: 100) { cursor caughtUp readings { time value } } }`,
		b.project, series%10, series/10)}
}

// entry is a body of one reading of each metric of a device.
func entry(dst []byte, device int) []byte {
	now := time.Now()
	dst = append(dst[:0], `{"device":"d`...)
	dst = strconv.AppendInt(dst, int64(device), 10)
	dst = append(dst, `","time":`...)
	dst = strconv.AppendInt(dst, now.UnixMilli(), 10)
	dst = append(dst, `,"values":{`...)
	for m := range metrics {
		if m > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Appendf(dst, `"m%d":%d`, m, now.UnixMicro())
	}
	return append(dst, "}}"...)
}

// fill makes devices with a first entry each.
func (b *bed) fill(ctx context.Context, devices int) error {
	w, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for d := range devices {
		if err := w.accepted(entry(nil, d)); err != nil {
			return err
		}
	}
	return nil
}

// pace posts an entry each so often, the devices in turn, and returns how many there were.
func (b *bed) pace(ctx context.Context, devices int, every, d time.Duration) (n int, err error) {
	const connections = 8
	posts := make(chan int)
	failed := make(chan error, connections)
	for range connections {
		w, err := b.dial(ctx)
		if err != nil {
			return 0, err
		}
		defer w.close()
		go func() {
			var body []byte
			var failure error
			for device := range posts {
				body = entry(body, device)
				failure = errors.Join(failure, w.accepted(body))
			}
			failed <- failure
		}()
	}
	began := time.Now()
	for ; time.Since(began) < d && ctx.Err() == nil; n++ {
		time.Sleep(time.Until(began.Add(time.Duration(n) * every)))
		posts <- n % devices
	}
	close(posts)
	for range connections {
		err = errors.Join(err, <-failed)
	}
	return n, err
}

// onBed runs a scenario on a bed of its own.
func onBed(ctx context.Context, run func(b *bed) error) error {
	b, err := newBed(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(b), b.close())
}

func runLiveCharts(ctx context.Context, quick bool) (r result, err error) {
	charts, kinds, d := 5000, 100, 30*time.Second
	if quick {
		charts, d = 1000, 5*time.Second
	}
	err = onBed(ctx, func(b *bed) error {
		if err := b.fill(ctx, kinds); err != nil {
			return err
		}
		c, err := gather(ctx, b.url, charts, func(i int) asked { return b.chart(i % kinds) })
		if err != nil {
			return err
		}
		defer c.close()
		before, err := processCPU(b.server.Process.Pid)
		if err != nil {
			return err
		}
		n, err := b.pace(ctx, kinds, 10*time.Millisecond, d)
		if err != nil {
			return err
		}
		if err := c.await(ctx, int64(n)*metrics*int64(charts/kinds), 10*time.Second); err != nil {
			return err
		}
		after, err := processCPU(b.server.Process.Pid)
		if err != nil {
			return err
		}
		took := c.took(nil)
		p50, p99 := ms(quantile(took, 0.5)), ms(quantile(took, 0.99))
		r.header = []string{"", "entries/s", "messages/s", "p50 ms", "p99 ms", "server's CPU µs/message"}
		r.rows = [][]string{{
			"from before the POST to the client", fmt.Sprintf("%.0f", float64(n)/d.Seconds()), fmt.Sprintf("%.0f", float64(len(took))/d.Seconds()),
			fmt.Sprintf("%.1f", p50), fmt.Sprintf("%.1f", p99), fmt.Sprintf("%.1f", float64((after-before).Microseconds())/float64(len(took))),
		}}
		r.ratio = 10 / p50
		r.keys = []string{fmt.Sprintf("p50ms=%.1f", p50), fmt.Sprintf("p99ms=%.1f", p99)}
		return nil
	})
	return r, err
}

// broadcasted is what one of the two servers of live-broadcast did.
type broadcasted struct {
	p50, p99, cpu float64 // ms, ms, µs a message
	kib           float64 // a connection
}

func (m broadcasted) row(name string) []string {
	return []string{name, fmt.Sprintf("%.0f", m.p50), fmt.Sprintf("%.0f", m.p99), fmt.Sprintf("%.1f", m.cpu), fmt.Sprintf("%.1f", m.kib)}
}

func runLiveBroadcast(ctx context.Context, quick bool) (r result, err error) {
	clients, rounds := 10_000, 20
	if quick {
		clients, rounds = 2000, 5
	}
	var ours, bare broadcasted
	var message []byte
	err = onBed(ctx, func(b *bed) error {
		err := b.fill(ctx, 1)
		if err != nil {
			return err
		}
		ours, message, err = measureBroadcast(ctx, b.url, b.server.Process.Pid, clients, rounds, b.chart(0), func() error {
			w, err := b.dial(ctx) // anew: the server closes a connection that is quiet at first
			if err != nil {
				return err
			}
			defer w.close()
			return w.accepted(entry(nil, 0))
		})
		return err
	})
	if err != nil {
		return r, err
	}
	c, err := newCeiling(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	bare, _, err = measureBroadcast(ctx, c.url, c.cmd.Process.Pid, clients, rounds, asked{}, func() error {
		i := bytes.Index(message, valueMark) + len(valueMark)
		end := i + bytes.IndexAny(message[i:], ",}")
		now := strconv.FormatInt(time.Now().UnixMicro(), 10)
		return c.publish(append(append(bytes.Clone(message[:i]), now...), message[end:]...))
	})
	if err != nil {
		return r, err
	}
	r.header = []string{"", "p50 ms", "p99 ms", "CPU µs/message", "KiB/connection"}
	r.rows = [][]string{bare.row("bare broadcaster"), ours.row("Readout")}
	r.ratio = bare.cpu / ours.cpu
	r.keys = []string{
		fmt.Sprintf("p99_of_ceiling=%.2f", ours.p99/bare.p99), fmt.Sprintf("cpu_of_ceiling=%.2f", ours.cpu/bare.cpu), fmt.Sprintf("kib=%.1f", ours.kib),
		fmt.Sprintf("clients=%d", clients),
	}
	return r, nil
}

// measureBroadcast has clients subscribe at url and publishes once a second; process is the server's. It returns a message as
// it came, too.
func measureBroadcast(ctx context.Context, url string, process, clients, rounds int, a asked, publish func() error) (m broadcasted, message []byte, err error) {
	small, err := residentMemory(process)
	if err != nil {
		return m, nil, err
	}
	c, err := gather(ctx, url, clients, func(int) asked { return a })
	if err != nil {
		return m, nil, err
	}
	defer c.close()
	if err := publish(); err != nil { // whatever a first time costs
		return m, nil, err
	}
	if err := c.await(ctx, int64(clients)*metrics, time.Minute); err != nil {
		return m, nil, err
	}
	c.reset()
	before, err := processCPU(process)
	if err != nil {
		return m, nil, err
	}
	began := time.Now()
	for i := range rounds {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second)))
		if err := publish(); err != nil {
			return m, nil, err
		}
	}
	if err := c.await(ctx, int64(clients)*metrics*int64(rounds), time.Minute); err != nil {
		return m, nil, err
	}
	after, err := processCPU(process)
	if err != nil {
		return m, nil, err
	}
	large, err := residentMemory(process)
	if err != nil {
		return m, nil, err
	}
	took := c.took(nil)
	m = broadcasted{
		p50: ms(quantile(took, 0.5)), p99: ms(quantile(took, 0.99)),
		cpu: float64((after - before).Microseconds()) / float64(len(took)), kib: float64(large-small) / 1024 / float64(clients),
	}
	return m, c.clients[0].last, nil
}

func runLiveIdle(ctx context.Context, quick bool) (r result, err error) {
	clients, kinds, d := 10_000, 100, 10*time.Second
	if quick {
		clients = 2000
	}
	err = onBed(ctx, func(b *bed) error {
		if err := b.fill(ctx, kinds); err != nil {
			return err
		}
		conn, err := b.postgres(ctx)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		process := b.server.Process.Pid
		small, err := residentMemory(process)
		if err != nil {
			return err
		}
		few, err := b.metric(ctx, "go_goroutines")
		if err != nil {
			return err
		}
		c, err := gather(ctx, b.url, clients, func(i int) asked { return b.chart(i % kinds) })
		if err != nil {
			return err
		}
		defer c.close()
		time.Sleep(35 * time.Second) // what they asked at first is over, and its memory given back
		began, err := processCPU(process)
		if err != nil {
			return err
		}
		time.Sleep(d)
		var statements int64
		err = conn.QueryRow(ctx, `select count(*) from pg_stat_activity
			where backend_type = 'client backend' and query_start > now() - make_interval(secs => $1) and pid <> pg_backend_pid()`, d.Seconds()-1).Scan(&statements)
		if err != nil {
			return err
		}
		ended, err := processCPU(process)
		if err != nil {
			return err
		}
		large, err := residentMemory(process)
		if err != nil {
			return err
		}
		many, err := b.metric(ctx, "go_goroutines")
		if err != nil {
			return err
		}
		kib, goroutines := float64(large-small)/1024/float64(clients), (many-few)/float64(clients)
		r.header = []string{"subscribers", "KiB each", "goroutines each", "MB in all", "connections that ran a statement", "CPU ms/s"}
		r.rows = [][]string{{
			strconv.Itoa(clients), fmt.Sprintf("%.1f", kib), fmt.Sprintf("%.2f", goroutines), fmt.Sprintf("%.0f", float64(large)/1e6), strconv.FormatInt(statements, 10),
			fmt.Sprintf("%.1f", float64((ended-began).Milliseconds())/d.Seconds()),
		}}
		r.ratio = 15 / kib
		r.keys = []string{
			fmt.Sprintf("kib=%.1f", kib), fmt.Sprintf("goroutines=%.2f", goroutines), fmt.Sprintf("mb=%.0f", float64(large)/1e6), fmt.Sprintf("statements=%d", statements),
		}
		return nil
	})
	return r, err
}

func runLiveChanges(ctx context.Context, quick bool) (r result, err error) {
	clients, posters, d := 500, 32, 20*time.Second
	if quick {
		clients, d = 100, 5*time.Second
	}
	err = onBed(ctx, func(b *bed) error {
		if err := b.fill(ctx, 1); err != nil {
			return err
		}
		keys, err := b.keys(ctx, clients)
		if err != nil {
			return err
		}
		everything := fmt.Sprintf(`subscription { readings(project: %q, series: {}) { cursor readings { time value series { id } } } }`, b.project)
		c, err := gather(ctx, b.url, clients, func(i int) asked { return asked{keys[i], everything} })
		if err != nil {
			return err
		}
		defer c.close()
		all, err := b.closedLoop(ctx, posters, d, func(dst []byte, client, n int) ([]byte, int) {
			now := time.Now()
			return fmt.Appendf(dst, `{"device":"d0","metric":"m%d","time":%d,"value":%d}`, client, now.UnixMilli(), now.UnixMicro()), 1
		})
		if err != nil {
			return err
		}
		began := time.Now()
		if err := c.await(ctx, int64(all.readings)*int64(clients), time.Minute); err != nil {
			return err
		}
		each := float64(all.readings) / (all.elapsed + time.Since(began)).Seconds()
		took := c.took(nil)
		r.header = []string{"subscribers", "changes/s to each", "messages/s to each", "p50 ms", "p99 ms"}
		r.rows = [][]string{{
			strconv.Itoa(clients), fmt.Sprintf("%.0f", each), fmt.Sprintf("%.0f", float64(len(took))/float64(clients)/d.Seconds()),
			fmt.Sprintf("%.0f", ms(quantile(took, 0.5))), fmt.Sprintf("%.0f", ms(quantile(took, 0.99))),
		}}
		r.ratio = each / 1000
		r.keys = []string{fmt.Sprintf("changes_per_s=%.0f", each), fmt.Sprintf("p99ms=%.0f", ms(quantile(took, 0.99)))}
		return nil
	})
	return r, err
}

// keys makes n keys of the project.
func (b *bed) keys(ctx context.Context, n int) (secrets []string, err error) {
	out, err := b.command(ctx, "key", "create", "--project", b.project, "--scopes", "read,admin")
	if err != nil {
		return nil, err
	}
	admin := strings.Fields(out)[4]
	for len(secrets) < n {
		var data struct{ K struct{ Secret string } }
		err := b.askAs(ctx, admin, fmt.Sprintf(`mutation { k: createKey(input: {projectID: %q, scopes: [READ]}) { secret } }`, b.project), &data)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, data.K.Secret)
	}
	return secrets, nil
}

func runLiveIngest(ctx context.Context, quick bool) (r result, err error) {
	const watchers, kinds = 1000, 100
	rounds, d := 5, 5*time.Second
	if quick {
		rounds, d = 2, 2*time.Second
	}
	err = onBed(ctx, func(b *bed) error {
		if _, err := sendFor(ctx, b, 0, d); err != nil { // and makes the series
			return err
		}
		var on, off []float64
		for i := range rounds {
			quiet, err := sendFor(ctx, b, 2*i+1, d)
			if err != nil {
				return err
			}
			c, err := gather(ctx, b.url, watchers, func(i int) asked { return b.watch(i % kinds) })
			if err != nil {
				return err
			}
			loud, err := sendFor(ctx, b, 2*i+2, d)
			c.close()
			if err != nil {
				return err
			}
			off, on = append(off, quiet.readingsPerSecond()), append(on, loud.readingsPerSecond())
			if c.received.Load() == 0 {
				return errors.New("the subscribers got nothing")
			}
		}
		r.header = []string{"", "M readings/s, median", "best"}
		r.rows = [][]string{
			{"without subscribers", fmt.Sprintf("%.2f", middle(off)/1e6), fmt.Sprintf("%.2f", slices.Max(off)/1e6)},
			{"with 1,000", fmt.Sprintf("%.2f", middle(on)/1e6), fmt.Sprintf("%.2f", slices.Max(on)/1e6)},
		}
		r.ratio = middle(on) / middle(off)
		r.keys = []string{fmt.Sprintf("on_m_per_s=%.2f", middle(on)/1e6), fmt.Sprintf("off_m_per_s=%.2f", middle(off)/1e6)}
		return nil
	})
	return r, err
}

func runLiveStalled(ctx context.Context, quick bool) (r result, err error) {
	const clients, deaf = 100, 50
	d := 20 * time.Second
	if quick {
		d = 12 * time.Second
	}
	err = onBed(ctx, func(b *bed) error {
		if err := b.fill(ctx, 1); err != nil {
			return err
		}
		c, err := gather(ctx, b.url, clients, func(int) asked { return b.chart(0) })
		if err != nil {
			return err
		}
		defer c.close()
		reads := func(i int) bool { return i >= deaf }
		if _, err := b.pace(ctx, 1, 5*time.Millisecond, d/2); err != nil {
			return err
		}
		calm := c.took(reads)
		c.reset()
		before, err := residentMemory(b.server.Process.Pid)
		if err != nil {
			return err
		}
		for _, l := range c.clients[:deaf] {
			close(l.deaf)
		}
		gone := make(chan time.Duration, 1)
		watching, stop := context.WithTimeout(ctx, d+20*time.Second)
		defer stop()
		go b.watchSockets(watching, clients-deaf, gone)
		most := watchMemory(watching, b.server.Process.Pid)
		if _, err := b.pace(ctx, 1, 5*time.Millisecond, d); err != nil {
			return err
		}
		troubled := c.took(reads)
		var after time.Duration
		select {
		case after = <-gone:
		case <-watching.Done():
			return errors.New("those who do not read are still there")
		}
		stop()
		extra := float64(<-most-before) / 1e6
		p99, worse := ms(quantile(calm, 0.99)), ms(quantile(troubled, 0.99))
		r.header = []string{"", "p50 ms", "p99 ms"}
		r.rows = [][]string{
			{"all read", fmt.Sprintf("%.1f", ms(quantile(calm, 0.5))), fmt.Sprintf("%.1f", p99)},
			{"50 of 100 do not", fmt.Sprintf("%.1f", ms(quantile(troubled, 0.5))), fmt.Sprintf("%.1f", worse)},
		}
		r.ratio = p99 / worse
		r.keys = []string{fmt.Sprintf("gone_s=%.1f", after.Seconds()), fmt.Sprintf("more_mb=%.0f", extra)}
		return nil
	})
	return r, err
}

// watchSockets tells how long it took until no more than so many sockets are open.
func (b *bed) watchSockets(ctx context.Context, left int, gone chan<- time.Duration) {
	for began := time.Now(); ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		if open, err := b.metric(ctx, "readout_sockets_open"); err == nil && int(open) <= left {
			gone <- time.Since(began)
			return
		}
	}
}

// watchMemory tells the most memory that a process has until ctx ends.
func watchMemory(ctx context.Context, process int) <-chan int64 {
	told := make(chan int64, 1)
	go func() {
		var most int64
		for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			if now, err := residentMemory(process); err == nil {
				most = max(most, now)
			}
		}
		told <- most
	}()
	return told
}

// middle returns the median of what was measured a few times.
func middle(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
