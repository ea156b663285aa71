package history_test

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// While one writes, one packs and one settles, readers see each acknowledged reading, each once, and the newest value.
func TestReadersMissNothingWhileOthersWork(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p := start(t, pool, history.Config{CacheBytes: 100_000})
	packer := pack.New(pool, pack.Config{Sizes: small, Packed: p.follower.Packed})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	loop := func(f func() error) {
		work.Go(func() {
			for ctx.Err() == nil {
				if err := f(); err != nil && ctx.Err() == nil {
					t.Error(err)
					cancel()
				}
			}
		})
	}
	loop(func() error { return packer.Pack(ctx, project) })
	loop(func() error { return packer.Settle(ctx, project, time.UnixMicro(base+6*day)) })

	const each = 3600 * second // between one reading and the next
	var acknowledged atomic.Int64
	check := func(rs []reading.Reading, least int64) {
		if int64(len(rs)) < least {
			t.Errorf("%d readings, %d were acknowledged before", len(rs), least)
			cancel()
		}
		for i, r := range rs {
			if r.Time != base+int64(i)*each || int64(i) < least && int64(r.Value) < least-1-int64(i) {
				t.Errorf("reading %d of %d is %v when %d are acknowledged", i, len(rs), r, least)
				cancel()
				return
			}
		}
	}
	for range 2 {
		loop(func() error {
			least := acknowledged.Load()
			rs, err := p.reader.Range(ctx, project, 1, 0, math.MaxInt64)
			if err == nil {
				check(rs, least)
			}
			return err
		})
	}
	loop(func() error {
		least := acknowledged.Load()
		var all []reading.Reading
		for span, err := range p.reader.Spans(ctx, project, []int64{1}, 0, math.MaxInt64, 10) {
			if err != nil {
				return err
			}
			for _, r := range span.Series[0] {
				all = append(all, reading.Reading{Series: 1, Time: r.Time, Value: math.MaxInt32}) // of different moments
			}
		}
		check(all, least)
		return nil
	})

	loop(func() error {
		least := acknowledged.Load()
		_, err := p.reader.Look(ctx, history.LookQuery{Project: project, Series: []int64{1}, To: base + day*30, Few: 10_000}, func(span history.Span) error {
			check(span.Series[0], least)
			return nil
		})
		return err
	})

	// Each append corrects all readings so far and adds one: the value says how many have come since.
	for n := int64(1); n <= 120 && ctx.Err() == nil; n++ {
		rs := make([]reading.Reading, n)
		for i := range rs {
			rs[i] = reading.Reading{Series: 1, Time: base + int64(i)*each, Value: float64(n - 1 - int64(i))}
		}
		p.mustAppend(t, project, rs...)
		acknowledged.Store(n)
	}
	cancel()
	work.Wait()
}
