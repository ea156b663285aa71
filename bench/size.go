package main

import (
	"context"
	"fmt"
	"time"

	"github.com/readout-dev/readout/reading"
)

const (
	perEntry = 20 // steps of 1,000 series in an entry: as much as one commit takes
	fillRows = 1_000_000
)

// runSize loads, packs and settles a fleet of 1,000 gauges, on time and with jitter, and compares what a reading takes at
// rest, indexes and rollups included, with a row of its own.
func runSize(ctx context.Context, quick bool) (r result, err error) {
	days := 3
	if quick {
		days = 1
	}
	var rows float64
	r.header = []string{"B a reading", "in all", "young", "chunk", "hours", "days", "latest", "journal"}
	var plain, jittered, journaled float64
	for _, c := range []struct {
		name   string
		jitter bool
		at     *float64
	}{{"10 s", false, &plain}, {"10 s, up to 99 ms late", true, &jittered}} {
		err := onEngine(ctx, func(e *engine) error {
			p := e.packer(nil)
			f := newFleet(1000, 10*time.Second, c.jitter)
			n, err := e.fill(ctx, p, f, days*8640, perEntry, 60)
			if err != nil {
				return err
			}
			if err := e.settle(ctx, p); err != nil {
				return err
			}
			row := []string{c.name}
			for _, tables := range [][]string{packedTables, {"young"}, {"chunk"}, {"rollup_hour"}, {"rollup_day"}, {"latest"}, {"journal"}} {
				bytes, err := e.bytesOf(ctx, tables...)
				if err != nil {
					return err
				}
				each := float64(bytes) / float64(n)
				switch {
				case tables[0] == "journal" && !c.jitter:
					journaled = each
				case len(tables) > 1:
					*c.at = each
				}
				row = append(row, fmt.Sprintf("%.3f", each))
			}
			r.rows = append(r.rows, row)
			if !c.jitter {
				rows, err = e.rowBytes(ctx, newFleet(1000, 10*time.Second, false))
			}
			return err
		})
		if err != nil {
			return r, err
		}
	}
	r.ratio = rows / plain
	r.keys = []string{
		fmt.Sprintf("bytes=%.2f", plain), fmt.Sprintf("bytes_jitter=%.2f", jittered),
		fmt.Sprintf("bytes_journal=%.2f", journaled), fmt.Sprintf("row_bytes=%.1f", rows),
	}
	return r, nil
}

// rowBytes returns what a row of the reference takes, loaded with readings of a fleet as they come.
func (e *engine) rowBytes(ctx context.Context, f *fleet) (float64, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	t, err := newTable(ctx, conn.Conn())
	if err != nil {
		return 0, err
	}
	var rs []reading.Reading
	for n := 0; n < fillRows; n += len(rs) {
		rs = f.step(rs[:0])
		if err := t.copy(ctx, rs); err != nil {
			return 0, err
		}
	}
	each, err := t.bytesPerRow(ctx)
	if err != nil {
		return 0, err
	}
	return each, t.drop(ctx)
}
