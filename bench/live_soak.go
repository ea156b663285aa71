package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	soakClients = 200                   // at a time
	soakDevices = 20                    // with a series each
	soakPace    = 40 * time.Millisecond // from a reading to the next, the devices in turn
)

// soak is clients that come and go while readings flow. Every device counts: its values are 1, 2, 3 …, so that a client sees by
// itself whether it has missed or repeated one.
type soak struct {
	bed   *bed
	acked [soakDevices]atomic.Int64 // the newest value of each device that is stored

	connects, again, cutOff, readings atomic.Int64 // cutOff: of those that stalled

	mu     sync.Mutex
	faults []error
}

// runLiveSoak has clients of all kinds come and go for half an hour, and weighs the server each minute. The ratio is the resident memory
// of minutes 3 to 5 to that of the last three.
func runLiveSoak(ctx context.Context, quick bool) (r result, err error) {
	minutes, period := 30, time.Minute
	if quick {
		minutes, period = 2, 10*time.Second
	}
	err = onBed(ctx, func(b *bed) error {
		s := &soak{bed: b}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		writing := make(chan error, 1)
		go func() { writing <- s.write(ctx) }()
		s.each(ctx) // whatever a first time starts for good
		before, err := s.calm(ctx)
		if err != nil {
			return err
		}
		closing := make(chan struct{})
		crowd := s.crowd(ctx, closing)
		all, err := s.watch(ctx, time.Duration(minutes)*time.Minute, period)
		close(closing)
		crowd.Wait()
		if err != nil {
			return err
		}
		after, err := s.calm(ctx)
		if err != nil {
			return err
		}
		stop()
		if err := errors.Join(<-writing, errors.Join(s.faults...)); err != nil {
			return err
		}
		first, last := mean(all[2:5]), mean(all[len(all)-3:])
		r.header = append([]string{""}, gaugeNames...)
		r.rows = [][]string{before.row("nobody, before"), first.row("after the warm-up"), last.row("at the end"), after.row("nobody, after")}
		r.ratio = first.rss / last.rss
		r.keys = []string{
			fmt.Sprintf("minutes=%d connects=%d resumed=%d stalled_cut_off=%d readings=%d", minutes, s.connects.Load(), s.again.Load(), s.cutOff.Load(), s.readings.Load()),
			fmt.Sprintf("rss_first=%.1f rss_last=%.1f heap_first=%.1f heap_last=%.1f", first.rss, last.rss, first.heap, last.heap),
			fmt.Sprintf("held_first=%.1f held_last=%.1f", first.held, last.held),
			fmt.Sprintf("goroutines_first=%.0f goroutines_last=%.0f", first.goroutines, last.goroutines),
			fmt.Sprintf("goroutines_left=%.0f subscriptions_left=%.0f feeds_left=%.0f connections_left=%.0f fds_left=%.0f",
				after.goroutines-before.goroutines, after.subscriptions, after.feeds, after.connections, after.fds-before.fds),
		}
		return nil
	})
	return r, err
}

// write stores a reading each soakPace until ctx ends.
func (s *soak) write(ctx context.Context) error {
	w, err := s.bed.dial(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	var body []byte
	began := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		time.Sleep(time.Until(began.Add(time.Duration(n) * soakPace)))
		device, value := n%soakDevices, n/soakDevices+1
		body = fmt.Appendf(body[:0], `{"device":"d%d","metric":"m","time":%d,"value":%d}`, device, time.Now().UnixMilli(), value)
		if err := w.accepted(body); err != nil {
			return err
		}
		s.acked[device].Store(int64(value))
	}
	return nil
}

// each has one client of each kind come and leave.
func (s *soak) each(ctx context.Context) {
	var visiting sync.WaitGroup
	for _, k := range soakKinds {
		for _, over := range soakTransports {
			visiting.Go(func() { s.visit(ctx, &visit{soak: s, kind: k, over: over, way: leaves, stay: time.Second}) })
		}
	}
	visiting.Wait()
}

// crowd has clients come and go until closing is closed, when those that are there stay for as long as they wanted to.
func (s *soak) crowd(ctx context.Context, closing <-chan struct{}) *sync.WaitGroup {
	var visiting sync.WaitGroup
	for range soakClients {
		visiting.Go(func() {
			for wait := rand.N(10 * time.Second); ; wait = rand.N(time.Second) {
				select {
				case <-closing:
					return
				case <-ctx.Done():
					return
				case <-time.After(wait):
					s.visit(ctx, s.anyVisit())
				}
			}
		})
	}
	return &visiting
}

// visit notes what goes wrong with one.
func (s *soak) visit(ctx context.Context, v *visit) {
	if err := v.run(ctx); err != nil && ctx.Err() == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		err = fmt.Errorf("%s: %w", v, err)
		fmt.Println(err)
		s.faults = append(s.faults, err)
	}
}

// noteAcked returns the newest value of each device that is stored.
func (s *soak) noteAcked() []int64 {
	all := make([]int64, soakDevices)
	for d := range all {
		all[d] = s.acked[d].Load()
	}
	return all
}
