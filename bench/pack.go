package main

import (
	"context"
	"fmt"
	"time"

	"github.com/readout-dev/readout/pack"
)

const (
	packPoints  = 60  // readings of a series that are packed at once
	packPromise = 5e6 // readings a second of one core
)

// runPack packs the journal of 1,000 gauges, 60 readings of each at a time, settles the day into chunks and rollups, and
// takes the processor time of this process for both: PostgreSQL's is not in it.
func runPack(ctx context.Context, quick bool) (r result, err error) {
	days := 4
	if quick {
		days = 1
	}
	err = onEngine(ctx, func(e *engine) error {
		p := e.packer(nil)
		f := newFleet(1000, 10*time.Second, false)
		r.header = []string{"day", "pack: readings/s of a core", "settle", "both"}
		var packing, settling time.Duration
		n := 0
		for day := range days {
			packed, settled, readings, err := e.packDay(ctx, p, f)
			if err != nil {
				return err
			}
			packing, settling, n = packing+packed, settling+settled, n+readings
			r.rows = append(r.rows, []string{fmt.Sprint(day + 1), rate(readings, packed), rate(readings, settled), rate(readings, packed+settled)})
		}
		r.ratio = float64(n) / (packing + settling).Seconds() / packPromise
		r.keys = []string{"readings_per_s=" + rate(n, packing+settling), "pack_per_s=" + rate(n, packing), "settle_per_s=" + rate(n, settling)}
		return nil
	})
	return r, err
}

func rate(n int, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/d.Seconds()) }

// packDay appends and packs a day of a fleet by turns, then settles it, and returns the processor time of both.
func (e *engine) packDay(ctx context.Context, p *pack.Packer, f *fleet) (packing, settling time.Duration, n int, err error) {
	const steps = 8640
	for done := 0; done < steps; done += packPoints {
		if err := e.appendSteps(ctx, f, packPoints); err != nil {
			return 0, 0, 0, err
		}
		took, err := cpuOf(func() error { return p.Pack(ctx, e.project) })
		if err != nil {
			return 0, 0, 0, err
		}
		packing += took
	}
	settling, err = cpuOf(func() error { return p.Settle(ctx, e.project, time.Now()) })
	return packing, settling, steps * len(f.gauges), err
}

// cpuOf returns the processor time that this process takes for run.
func cpuOf(run func() error) (time.Duration, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	if err := run(); err != nil {
		return 0, err
	}
	after, err := ownCPU()
	return after - before, err
}
