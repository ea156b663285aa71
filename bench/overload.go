package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	overloadClients = 160  // more than can wait in the queue of 200,000 readings
	overloadBatch   = 5000 // readings a request
)

// slowDisk has each commit wait 100 ms, so that the database sets the pace and not the decoding.
var slowDisk = map[string]string{"commit_delay": "100000", "commit_siblings": "0", "max_connections": "64"}

// runOverload offers four times as much as the server takes and sees what becomes of it: what is taken must not fall,
// what is refused must be told when to come again, memory must stay bounded, and what was acknowledged must be there.
func runOverload(ctx context.Context, quick bool) (r result, err error) {
	each := 15 * time.Second
	if quick {
		each = 6 * time.Second
	}
	ref, err := newReference(ctx, slowDisk)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, ref.close()) }()
	b := &bed{variables: []string{"READOUT_DATABASE_URL=" + ref.server.URL(), "READOUT_JWT_SECRET=" + rand.Text() + rand.Text()}}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.build(); err != nil {
		return r, err
	}
	b.database = ref.dir
	if err := b.open(ctx); err != nil {
		return r, err
	}

	o := &overload{bed: b, readings: overloadBatch}
	calm, err := o.offer(ctx, 8, each, 0)
	if err != nil {
		return r, err
	}
	calmPeak, err := peakMemory(b.server.Process.Pid)
	if err != nil {
		return r, err
	}
	loud, err := o.offer(ctx, overloadClients, each, 4*calm.readingsPerSecond())
	if err != nil {
		return r, err
	}
	peak, err := peakMemory(b.server.Process.Pid)
	if err != nil {
		return r, err
	}
	missing, err := o.missing(ctx)
	if err != nil {
		return r, err
	}
	if missing != 0 {
		return r, fmt.Errorf("%d acknowledged readings are not there", missing)
	}
	if o.unasked.Load() > 0 {
		return r, fmt.Errorf("%d refusals do not say when to come again", o.unasked.Load())
	}
	offered := float64(o.offered.Load()) / loud.elapsed.Seconds()
	r.header = []string{"", "offered readings/s", "taken readings/s", "p99 ms", "refused requests", "memory MB"}
	r.rows = [][]string{
		{"as fast as it takes", "", fmt.Sprintf("%.0f", calm.readingsPerSecond()), fmt.Sprintf("%.0f", ms(quantile(calm.took, 0.99))), "0", megabytes(calmPeak)},
		{"overloaded", fmt.Sprintf("%.0f", offered), fmt.Sprintf("%.0f", loud.readingsPerSecond()), fmt.Sprintf("%.0f", ms(quantile(loud.took, 0.99))), fmt.Sprint(o.refused.Load()), megabytes(peak)},
	}
	r.ratio = loud.readingsPerSecond() / calm.readingsPerSecond()
	r.keys = []string{
		fmt.Sprintf("offered=%.1f", offered/calm.readingsPerSecond()), fmt.Sprintf("refused=%d", o.refused.Load()),
		"memory_mb=" + megabytes(peak), "calm_memory_mb=" + megabytes(calmPeak), fmt.Sprintf("missing=%d", missing),
	}
	return r, nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }

// overload counts what is offered and what becomes of it.
type overload struct {
	bed      *bed
	readings int // a request
	bodies   atomic.Int64

	offered, acknowledged atomic.Int64 // readings
	refused, unasked      atomic.Int64 // requests: answered 429 or 503; of them, without Retry-After
}

// offer has clients post for a while, together so many readings a second, or as fast as the answers come when rate is 0.
// What is refused is not sent again. The load is of what was taken.
func (o *overload) offer(ctx context.Context, clients int, d time.Duration, rate float64) (load, error) {
	o.offered.Store(0)
	return together(clients, func(_ int, deadline time.Time) (mine load, err error) {
		w, err := o.bed.dial(ctx)
		if err != nil {
			return mine, err
		}
		defer w.close()
		var body []byte
		for due := time.Now(); due.Before(deadline) && time.Now().Before(deadline); {
			time.Sleep(time.Until(due))
			body = o.body(body[:0])
			t := time.Now()
			o.offered.Add(int64(o.readings))
			reply, err := w.post(body)
			if err != nil {
				return mine, err
			}
			if rate > 0 {
				due = due.Add(time.Duration(float64(o.readings*clients) / rate * float64(time.Second)))
			}
			if !o.note(reply) {
				continue
			}
			mine.took = append(mine.took, time.Since(t))
			mine.requests++
			mine.readings += o.readings
		}
		return mine, nil
	}, d)
}

// note counts an answer and reports whether the readings were taken.
func (o *overload) note(r reply) bool {
	if r.status == http.StatusOK {
		o.acknowledged.Add(int64(o.readings))
		return true
	}
	o.refused.Add(1)
	if r.retryAfter == "" || r.status != http.StatusTooManyRequests && r.status != http.StatusServiceUnavailable {
		o.unasked.Add(1)
	}
	return false
}

// body makes readings of one series at times that no other body has, in the densest shape.
func (o *overload) body(dst []byte) []byte {
	n := o.bodies.Add(1)
	at := start.UnixMilli() + n*int64(o.readings)
	dst = fmt.Appendf(dst, `{"device":"d%d","metric":"m","times":[`, n%100)
	for i := range int64(o.readings) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Append(dst, at+i)
	}
	dst = append(dst, `],"values":[`...)
	for i := range o.readings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Append(dst, i%100)
	}
	return append(dst, "]}"...)
}

// missing returns how many of the acknowledged readings are not stored: all that were sent are distinct.
func (o *overload) missing(ctx context.Context) (int64, error) {
	n, err := o.bed.countExported(ctx)
	return max(0, o.acknowledged.Load()-n), err
}
