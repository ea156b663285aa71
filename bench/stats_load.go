package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

const (
	statsPoints = 50_000 // of each series in a year that is over
	siteSeries  = 10     // of a site, the label that series are grouped by

	// One more series has so many readings in the year. Without the first and the last, so many fill each of 499 buckets,
	// which SQL can tell by date_bin.
	densePoints = denseBuckets*2004 + 1
)

// statsLoad is what the scenarios are measured on: the same readings in Readout, packed and settled, and in a table. Series
// i belongs to the site i modulo sites.
type statsLoad struct {
	quick         bool
	e             *engine
	rows          *statsRows
	series, sites int

	uncached, cached *asker
	reader           *history.Reader // of uncached
}

// onStatsLoad runs scenarios on a new load.
func onStatsLoad(ctx context.Context, quick bool, run func(l *statsLoad) error) error {
	return onEngine(ctx, func(e *engine) (err error) {
		l := &statsLoad{quick: quick, e: e, series: 1000}
		if quick {
			l.series = 100
		}
		l.sites = l.series / siteSeries
		l.reader = e.reader(-1)
		l.uncached, l.cached = newAsker(e, l.reader), newAsker(e, e.reader(0))
		begin := time.Now()
		if err := e.fillYear(ctx, l.series, e.fillDense(l.dense())); err != nil {
			return err
		}
		if l.rows, err = newStatsRows(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.rows.close(ctx)) }()
		if err := l.rows.load(ctx, l); err != nil {
			return err
		}
		fmt.Printf("%d readings, filled in twice in %.0f s\n\n", l.series*statsPoints+densePoints, time.Since(begin).Seconds())
		return run(l)
	})
}

// dense is the id of the series with more readings than the others.
func (l *statsLoad) dense() int64 { return firstSeries + int64(l.series) }

// fillYear fills in a year of so many series, and what else is given, packs and settles all, and leaves nothing for
// autovacuum to do.
func (e *engine) fillYear(ctx context.Context, series int, also func(ctx context.Context, p *pack.Packer) error) error {
	p := e.packer(nil)
	f := newFleet(series, (year / statsPoints).Truncate(time.Microsecond), false)
	f.start = chartStart.UnixMicro()
	if _, err := e.fill(ctx, p, f, statsPoints, 20_000/series, 100); err != nil {
		return err
	}
	if err := also(ctx, p); err != nil {
		return err
	}
	if err := e.settle(ctx, p); err != nil {
		return err
	}
	_, err := e.bytesOf(ctx, packedTables...) // vacuum and analyse
	return err
}

// fillDense returns what fills in the dense series.
func (e *engine) fillDense(series int64) func(ctx context.Context, p *pack.Packer) error {
	return func(ctx context.Context, p *pack.Packer) error {
		f := newFleet(1, (year / densePoints).Truncate(time.Microsecond), false)
		f.start = chartStart.UnixMicro()
		for left := densePoints; left > 0; {
			var rs []reading.Reading
			for range min(left, 20_000) {
				rs = f.step(rs)
				rs[len(rs)-1].Series = series
			}
			left -= len(rs)
			if err := e.append(ctx, rs); err != nil {
				return err
			}
		}
		return p.Pack(ctx, e.project)
	}
}

// all returns the readings of a series, of which there must be so many.
func (l *statsLoad) all(ctx context.Context, series int64, count int) ([]reading.Reading, error) {
	rs, err := l.reader.Range(ctx, l.e.project, series, 0, math.MaxInt64)
	if err == nil && len(rs) != count {
		err = fmt.Errorf("%d readings of series %d instead of %d", len(rs), series-firstSeries, count)
	}
	return rs, err
}

// asker asks Readout.
type asker struct {
	engine  *analysis.Engine
	project int64
}

func newAsker(e *engine, reader *history.Reader) *asker {
	return &asker{analysis.New(reader, analysis.Config{}), e.project}
}
