package live_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// BenchmarkPublish measures an entry of ten series, each of which concerns one of 10,000 subscriptions, from its publication
// until the ten goroutines that wait for it have it; of that, what the publisher does; and what a subscription takes in
// memory, but for its goroutine.
func BenchmarkPublish(b *testing.B) {
	const subscriptions, wide = 10_000, 10
	f := fixture{journal: &fakeJournal{}}
	f.Hub = live.New(f.journal, live.Config{})
	concern := make(map[int64]bool, subscriptions)
	begin := journal.Beginning{Project: project}
	for id := range int64(subscriptions) {
		begin.Latest = append(begin.Latest, reading.Reading{Series: id})
		concern[id] = false
	}
	f.Start(begin)
	before := heap()
	subs := make([]*live.Subscription, subscriptions)
	for id := range subs {
		subs[id] = f.Subscribe(project, 0)
		concern[int64(id)] = true
		subs[id].Narrow(concern)
		concern[int64(id)] = false
	}
	room := float64(heap()-before) / subscriptions

	ctx, cancel := context.WithCancel(b.Context())
	var publishing time.Duration
	var got, ended sync.WaitGroup
	for _, sub := range subs {
		sub.Take() // nothing: it is at the head
		ended.Go(func() { drain(ctx, sub, &got) })
	}
	e := journal.Entry{Project: project, Readings: make([]reading.Reading, wide)}
	for b.Loop() {
		e.Offset++
		for i := range e.Readings {
			e.Readings[i].Series = (e.Offset*wide + int64(i)*997) % subscriptions
		}
		got.Add(wide)
		start := time.Now()
		f.Apply(e)
		publishing += time.Since(start)
		got.Wait()
	}
	b.ReportMetric(float64(publishing.Nanoseconds())/float64(b.N), "ns/publish")
	b.ReportMetric(room, "B/subscription")
	if n := f.journal.readsSoFar(); n != 0 {
		b.Errorf("%d reads of the journal", n)
	}
	cancel()
	ended.Wait()
}

// drain takes what comes until ctx ends.
func drain(ctx context.Context, sub *live.Subscription, got *sync.WaitGroup) {
	for {
		if _, err := sub.Next(ctx); err != nil {
			return
		}
		got.Done()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkPublishUnheard measures the publishing of entries to which nobody listens.
func BenchmarkPublishUnheard(b *testing.B) {
	for _, series := range []int{10, 1000} {
		for name, apart := range map[string]int64{"neighbours": 1, "strangers": 64} {
			b.Run(fmt.Sprintf("%d/%s", series, name), func(b *testing.B) {
				f := setup(live.Config{}, 0)
				e := journal.Entry{Project: project, Readings: make([]reading.Reading, series)}
				for i := range e.Readings {
					e.Readings[i].Series = int64(i) * apart
				}
				for b.Loop() {
					e.Offset++
					f.Apply(e)
				}
			})
		}
	}
}

// BenchmarkFanOut measures an entry from its publication until every subscriber, each in a goroutine that waits, has it.
func BenchmarkFanOut(b *testing.B) {
	for _, subscribers := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(subscribers), func(b *testing.B) {
			f := setup(live.Config{}, 0)
			ctx, cancel := context.WithCancel(b.Context())
			var got, ended sync.WaitGroup
			for range subscribers {
				sub := f.Subscribe(project, 0)
				ended.Go(func() { drain(ctx, sub, &got) })
			}
			for b.Loop() {
				got.Add(subscribers)
				f.publish()
				got.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers), "ns/delivery")
			cancel()
			ended.Wait()
		})
	}
}
