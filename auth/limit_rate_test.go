package auth_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/auth"
)

func TestARateLetsAMinutesWorthPassAtOnceAndThenWhatIsEarned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := auth.NewRate(10) // 600 a minute
		for i, step := range []struct {
			pause time.Duration
			id    int64
			n     int
			want  time.Duration
		}{
			{0, 1, 599, 0},
			{0, 1, 0, 0},    // one is left
			{0, 1, 2000, 0}, // and may be overdrawn
			{0, 1, 1, 200 * time.Second},
			{0, 1, 0, 200 * time.Second},
			{0, 2, 600, 0}, // another has its own
			{199900 * time.Millisecond, 1, 1, 100 * time.Millisecond},
			{100 * time.Millisecond, 1, 1, 0},
			{0, 1, 1, 100 * time.Millisecond},
			{time.Hour, 1, 600, 0}, // never more than a minute's worth is kept
			{0, 1, 1, 100 * time.Millisecond},
		} {
			time.Sleep(step.pause)
			if wait := r.Take(step.id, step.n); wait != step.want {
				t.Fatalf("step %d: wait %v, want %v", i, wait, step.want)
			}
		}
	})
}

func TestNoRateIsNoLimit(t *testing.T) {
	t.Parallel()
	r := auth.NewRate(0)
	for range 10 {
		if wait := r.Take(1, 1<<40); wait != 0 {
			t.Fatalf("wait %v", wait)
		}
	}
}

func TestARateCountsConcurrentSpendingOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := auth.NewRate(1)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 25 {
					if r.Take(7, 1) == 0 {
						passed.Add(1)
					}
				}
			})
		}
		all.Wait()
		if passed.Load() != 60 {
			t.Errorf("%d passed, want 60", passed.Load())
		}
	})
}

func BenchmarkRateTake(b *testing.B) {
	r := auth.NewRate(1_000_000)
	for i := int64(0); b.Loop(); i++ {
		r.Take(i%1000, 1)
	}
}
