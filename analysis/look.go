package analysis

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/stats"
)

// size is how much a task has to read.
type size struct {
	readings int  // about, in its range
	outlived bool // there were more, of which rollups tell
}

// look finds out how much a task has to read. If it is little, and of one project, it is folded by all at once; else all
// is nil.
func (e *Engine) look(ctx context.Context, t *task) (all *folder, found size, err error) {
	source, ok := e.source.(looker)
	if !ok || len(t.index.projects) != 1 {
		found, err = e.estimate(ctx, t)
		return nil, found, err
	}
	done, err := e.turn(ctx)
	if err != nil {
		return nil, found, err
	}
	defer done()
	f := newFolder(t, t.index.projects[0].share(t.frame), e.source)
	q := history.LookQuery{
		Project: f.project, Series: f.series, From: t.frame.from(), To: t.frame.to(), Most: e.few(t.need) + 1, Few: e.atOnce(t),
	}
	if t.need.Line {
		q.Margin = stats.MaxGap
	}
	look, err := source.Look(ctx, q, func(span history.Span) error { return f.addSpan(f.placesOf(f.series), span) })
	found = size{look.Readings, look.Outlived}
	if err != nil || !look.Read {
		return nil, found, err
	}
	f.join(q.To + q.Margin)
	f.end()
	return f, found, nil
}

// atOnce is how many readings are folded by one goroutine while it looks.
func (e *Engine) atOnce(t *task) int {
	if len(t.index.series) == 1 {
		return min(e.few(t.need), spanReadings)
	}
	return min(e.few(t.need), worthSplitting)
}

// estimate asks how many readings there are, of all projects.
func (e *Engine) estimate(ctx context.Context, t *task) (size, error) {
	var readings atomic.Int64
	var outlived atomic.Bool
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(goroutines)
	for _, p := range t.index.projects {
		asking.Go(func() error {
			n, more, err := e.source.Estimate(ctx, p.project, p.series, t.frame.from(), t.frame.to(), e.few(t.need)+1)
			readings.Add(int64(n))
			if more {
				outlived.Store(true)
			}
			return err
		})
	}
	err := asking.Wait()
	return size{int(readings.Load()), outlived.Load()}, err
}
