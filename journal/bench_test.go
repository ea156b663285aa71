package journal_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

// BenchmarkAppend measures appends by clients that wait for their answer, against a server with fsync on.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ clients, readings, series int }{
		{1, 1, 1}, {64, 1, 1}, {16, 1000, 100}, {64, 1000, 100},
	} {
		b.Run(fmt.Sprintf("%d clients of %d readings", c.clients, c.readings), func(b *testing.B) {
			r, project := setup(b, journal.Config{})
			r.mustAppend(b, project, at(1, 0))
			var left atomic.Int64
			left.Store(int64(b.N))
			var done sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for client := range c.clients {
				done.Go(func() {
					for round := int64(1); left.Add(-1) >= 0; round++ {
						if _, err := r.Append(b.Context(), project, batch(client, round, c.readings, c.series)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			done.Wait()
			b.StopTimer()
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(b.N*c.readings)/seconds, "readings/s")
			b.ReportMetric(r.metric(b, "readout_journal_entries_total")/seconds, "commits/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// batch is what a client sends in one round: its series in turn, at each of the times; values with two decimals.
func batch(client int, round int64, readings, series int) []reading.Reading {
	rs := make([]reading.Reading, readings)
	for i := range rs {
		rs[i] = reading.Reading{
			Series: int64(client*series + i%series),
			Time:   (round*int64(readings/series) + int64(i/series)) * 1_000_000,
			Value:  float64(2000+(i*7+int(round))%100) / 100,
		}
	}
	return rs
}

// BenchmarkFollow measures how fast a tail is built from what is not packed.
func BenchmarkFollow(b *testing.B) {
	const entries, clients, each, series = 200, 10, 1000, 100
	pool := testdb.New(b)
	project := newProject(b, pool)
	for round := range int64(entries) {
		var rs []reading.Reading
		for client := range clients {
			rs = append(rs, batch(client, round, each, series)...)
		}
		elsewhere(b, pool, project, reading.Sort(rs)...)
	}
	for b.Loop() {
		if err := journal.NewFollower(pool, tail.New()).Follow(b.Context(), project); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*entries*clients*each/b.Elapsed().Seconds(), "readings/s")
}
