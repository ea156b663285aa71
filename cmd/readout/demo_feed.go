package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/internal/greenhouse"
	"github.com/readout-dev/readout/internal/sender"
)

const (
	demoSeed    = 1
	historyStep = 5 * time.Minute
	// historySpan is what one request carries of a device's history: 288 times a day, six metrics.
	historySpan = 7 * 24 * time.Hour
)

// demoFeed sends what the greenhouse's devices read, as any gateway would: over HTTP, with a project's key.
type demoFeed struct {
	url, key string
	sender   *sender.Sender
	house    *greenhouse.House
	progress io.Writer
}

func newDemoFeed(url, key string, progress io.Writer) *demoFeed {
	return &demoFeed{
		url: url, key: key, progress: progress,
		sender: &sender.Sender{URL: url, Key: key}, house: greenhouse.New(demoSeed),
	}
}

// history sends the last days of every device, from where the last start left off.
func (f *demoFeed) history(ctx context.Context, days int) error {
	now := time.Now().Truncate(historyStep)
	newest, err := f.newest(ctx)
	if err != nil {
		return fmt.Errorf("ask for the newest readings: %w", err)
	}
	devices := f.house.Devices()
	var sent, done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, device := range devices {
		from := now.Add(-time.Duration(days) * 24 * time.Hour)
		if last := newest[device.Name]; last.After(from) {
			from = last.Truncate(historyStep).Add(historyStep)
		}
		group.Go(func() error {
			for ; from.Before(now); from = from.Add(historySpan) {
				n, err := f.send(ctx, i, f.house.Window(i, from, minTime(from.Add(historySpan), now), historyStep))
				if err != nil {
					return fmt.Errorf("send history of %s: %w", device.Name, err)
				}
				sent.Add(int64(n))
			}
			fmt.Fprintf(f.progress, "history: %d of %d devices, %d readings\n", done.Add(1), len(devices), sent.Load())
			return nil
		})
	}
	return group.Wait()
}

// live sends what each device reads, every so often, until ctx ends. The devices take turns, as real ones do.
func (f *demoFeed) live(ctx context.Context, every time.Duration) error {
	devices := len(f.house.Devices())
	tick := time.NewTicker(every / time.Duration(devices))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % devices {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			now = now.Truncate(time.Millisecond)
			if _, err := f.send(ctx, i, f.house.Window(i, now, now.Add(1), time.Second)); err != nil {
				return fmt.Errorf("send a live reading: %w", err)
			}
		}
	}
}

// send sends a window of a device in one request: a column for each metric.
func (f *demoFeed) send(ctx context.Context, device int, w greenhouse.Window) (readings int, err error) {
	if len(w.Times) == 0 {
		return 0, nil // the device was silent
	}
	name := f.house.Devices()[device].Name
	body := []byte{'['}
	for i, m := range f.house.Metrics() {
		if i > 0 {
			body = append(body, ',')
		}
		body = sender.AppendColumn(body, name, m.Name, m.Unit, nil, w.Times, w.Values[i])
	}
	ack, err := f.sender.Send(ctx, append(body, ']'))
	return ack.Accepted, err
}

// newest asks the API for the newest reading of each device.
func (f *demoFeed) newest(ctx context.Context) (map[string]time.Time, error) {
	const query = `query ($names: [String!]) { latest(series: {hasDeviceWith: [{nameIn: $names}]}) { time series { device { name } } } }`
	var names []string
	for _, d := range f.house.Devices() { // alone: whoever tries it out may have sent a great many other series
		names = append(names, d.Name)
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"names": names}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+f.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Latest []struct {
				Time   time.Time
				Series struct{ Device struct{ Name string } }
			}
		}
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, fmt.Errorf("the server answered: %s", answer.Errors[0].Message)
	}
	newest := map[string]time.Time{}
	for _, r := range answer.Data.Latest {
		if name := r.Series.Device.Name; r.Time.After(newest[name]) {
			newest[name] = r.Time
		}
	}
	return newest, nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
