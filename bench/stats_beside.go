package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/reading"
)

const (
	besideAskers  = 50 // clients that ask for heavy statistics, each again as soon as it has its answer
	besideSenders = 8  // clients that append meanwhile
	besideEvery   = 80 * time.Millisecond
	besideDays    = 30 // of readings of ingestSeries series, one in five minutes
)

// besideQuestions are asked by turns. They read all series: rollups of days, rollups of days with sketches, and readings.
var besideQuestions = []string{
	`{ statistics(series: {}, range: {from: "2025-01-01T00:00:00Z", to: "2025-01-31T00:00:00Z"}, window: {calendar: DAY, timeZone: "Europe/Berlin"}, groupBy: [{by: METRIC}]) {
		buckets { start count mean min max } } }`,
	`{ statistics(series: {}, range: {from: "2025-01-01T00:00:00Z", to: "2025-01-31T00:00:00Z"}, window: {calendar: DAY}, groupBy: [{by: METRIC}]) {
		buckets { start count p: quantiles(q: [0.5, 0.95, 0.99]) } } }`,
	`{ statistics(series: {}, range: {from: "2025-01-10T00:30:00Z", to: "2025-01-11T00:30:00Z"}, window: {calendar: HOUR}, groupBy: [{by: DEVICE}]) {
		buckets { start count p99: quantile(q: 0.99) } } }`,
}

// runStatsBeside appends small batches at a fixed pace, by turns on a server that does nothing else and beside clients that ask for
// heavy statistics all the time. The ratio is the p99 of an append when nobody asks to that when all do.
func runStatsBeside(ctx context.Context, quick bool) (r result, err error) {
	rounds, each := 5, 10*time.Second
	if quick {
		rounds, each = 3, 4*time.Second
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.fillBeside(ctx); err != nil {
		return r, err
	}
	pace := &pacer{bed: b}
	askers := &askers{bed: b}
	if _, err := pace.send(ctx, time.Second); err != nil { // it makes the series and the partitions
		return r, err
	}
	var idle, beside load
	for range rounds {
		alone, err := pace.send(ctx, each)
		if err != nil {
			return r, err
		}
		stop := askers.start(ctx)
		among, err := pace.send(ctx, each)
		if err = errors.Join(err, stop()); err != nil {
			return r, err
		}
		idle.took, beside.took = append(idle.took, alone.took...), append(beside.took, among.took...)
	}
	return besideResult(idle.took, beside.took, askers), nil
}

func besideResult(idle, beside []time.Duration, a *askers) (r result) {
	r.header = []string{"", "appends", "p50 ms", "p99 ms", "answers", "sent away"}
	row := func(name string, took []time.Duration, answers ...string) {
		row := []string{name, fmt.Sprint(len(took)), fmt.Sprintf("%.2f", ms(median(took))), fmt.Sprintf("%.2f", ms(quantile(took, 0.99)))}
		r.rows = append(r.rows, append(row, answers...))
	}
	row("nobody asks", idle, "", "")
	row(fmt.Sprintf("%d ask", besideAskers), beside, fmt.Sprint(a.answers.Load()), fmt.Sprint(a.refused.Load()))
	r.ratio = float64(quantile(idle, 0.99)) / float64(quantile(beside, 0.99))
	r.keys = []string{
		fmt.Sprintf("dearer=%.2f", 1/r.ratio),
		fmt.Sprintf("idle_p50_ms=%.2f", ms(median(idle))), fmt.Sprintf("idle_p99_ms=%.2f", ms(quantile(idle, 0.99))),
		fmt.Sprintf("p50_ms=%.2f", ms(median(beside))), fmt.Sprintf("p99_ms=%.2f", ms(quantile(beside, 0.99))),
		fmt.Sprintf("answers=%d", a.answers.Load()),
	}
	return r
}

// fillBeside sends what is asked about, and packs and settles it.
func (b *bed) fillBeside(ctx context.Context) error {
	f := newFleet(ingestSeries, 5*time.Minute, false)
	f.start = chartStart.UnixMicro()
	var all []reading.Reading
	for range besideDays * 24 * 12 {
		all = f.step(all)
	}
	if err := b.sendSteps(ctx, all); err != nil {
		return err
	}
	_, err := b.command(ctx, "pack", "--project", b.project, "--settle")
	return err
}

// pacer appends at a fixed pace, whatever the answers take.
type pacer struct {
	bed  *bed
	sent atomic.Int64
}

// send has all senders post for a while. An append takes from when it is sent, but if it is late because the one before took long,
// from when it was due.
func (p *pacer) send(ctx context.Context, d time.Duration) (load, error) {
	return together(besideSenders, func(client int, deadline time.Time) (mine load, err error) {
		w, err := p.bed.dial(ctx)
		if err != nil {
			return mine, err
		}
		defer w.close()
		var body []byte
		due := time.Now().Add(besideEvery / besideSenders * time.Duration(client))
		for ; due.Before(deadline); due = due.Add(besideEvery) {
			begin := due
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
				begin = time.Now()
			}
			body, _ = smallBody(body[:0], client, int(p.sent.Add(1)))
			if err := w.accepted(body); err != nil {
				return mine, err
			}
			mine.took = append(mine.took, time.Since(begin))
			mine.requests++
		}
		return mine, nil
	}, d)
}

// askers ask for statistics over HTTP.
type askers struct {
	bed              *bed
	answers, refused atomic.Int64
}

// start has all of them ask until stop is called, which waits for their answers and returns what went wrong.
func (a *askers) start(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: besideAskers}}
	failed := make([]error, besideAskers)
	var asking sync.WaitGroup
	for i := range failed {
		asking.Go(func() {
			for n := i; ctx.Err() == nil && failed[i] == nil; n++ {
				failed[i] = a.ask(ctx, client, besideQuestions[n%len(besideQuestions)])
			}
		})
	}
	return func() error {
		cancel()
		asking.Wait()
		client.CloseIdleConnections()
		return errors.Join(failed...)
	}
}

// ask asks one question; who is sent away waits as long as he is told. When ctx ends, so does it.
func (a *askers) ask(ctx context.Context, client *http.Client, query string) error {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, a.bed.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.bed.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ RetryAfter int }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	switch {
	case len(answer.Errors) == 0 && len(answer.Data) > 1000:
		a.answers.Add(1)
		return nil
	case len(answer.Errors) == 1 && answer.Errors[0].Extensions.RetryAfter > 0:
		a.refused.Add(1)
		select {
		case <-time.After(time.Duration(answer.Errors[0].Extensions.RetryAfter) * time.Second):
		case <-ctx.Done():
		}
		return nil
	}
	return fmt.Errorf("not an answer: %s %+v %.100s", resp.Status, answer.Errors, answer.Data)
}
