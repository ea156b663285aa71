package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/pack"
)

const (
	slowEvery = 10 * time.Minute // between two readings of a gauge
	minutes   = 24 * 60          // of a day
)

// runSizeSlow loads many gauges that each send once in ten minutes, each at moments of its own, and packs every minute of
// their time, as the server does: what a reading takes while it is young, what when its days are settled, and how many
// bytes packing writes for each byte that stays.
func runSizeSlow(ctx context.Context, quick bool) (r result, err error) {
	series, days := 100_000, 7
	if quick {
		series, days = 10_000, 7
	}
	err = onEngine(ctx, func(e *engine) error {
		registry := prometheus.NewRegistry()
		p := e.packer(registry)
		f := newSlowFleet(series)
		if err := f.day(ctx, e, p); err != nil {
			return err
		}
		young, err := e.bytesOf(ctx, packedTables...)
		if err != nil {
			return err
		}
		perYoung := float64(young) / float64(f.sent)
		for day := range days {
			if day > 0 {
				if err := f.day(ctx, e, p); err != nil {
					return err
				}
			}
			if err := p.Settle(ctx, e.project, f.moment()); err != nil {
				return err
			}
		}
		return r.slow(ctx, e, f, registry, perYoung)
	})
	return r, err
}

// slow measures what is there when all days are settled, before their month is over.
func (r *result) slow(ctx context.Context, e *engine, f *slowFleet, registry *prometheus.Registry, perYoung float64) error {
	r.header = []string{"", "B a reading"}
	r.rows = append(r.rows, []string{"after a day, not settled", fmt.Sprintf("%.3f", perYoung)})
	var total int64
	for _, t := range packedTables {
		bytes, err := e.bytesOf(ctx, t)
		if err != nil {
			return err
		}
		total += bytes
		r.rows = append(r.rows, []string{"settled: " + t, fmt.Sprintf("%.3f", float64(bytes)/float64(f.sent))})
	}
	written, err := writtenBy(registry)
	if err != nil {
		return err
	}
	rows, err := e.rowBytes(ctx, newFleet(1000, slowEvery, false))
	if err != nil {
		return err
	}
	perReading := float64(total) / float64(f.sent)
	r.ratio = rows / perReading
	r.keys = []string{
		fmt.Sprintf("bytes=%.2f", perReading), fmt.Sprintf("bytes_young=%.2f", perYoung),
		fmt.Sprintf("written=%.2f", written/float64(total)), fmt.Sprintf("row_bytes=%.1f", rows),
	}
	return nil
}

// rowSizes are what rows take beside their payload: header, columns and the entry in the index, in bytes, about.
var rowSizes = map[string]float64{"young": 190, "chunk": 130, "rollup": 190}

// writtenBy returns the bytes that a packer has written into tables, as its metrics count them.
func writtenBy(registry *prometheus.Registry) (bytes float64, err error) {
	families, err := registry.Gather()
	if err != nil {
		return 0, err
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch family.GetName() {
			case "readout_pack_bytes_total":
				bytes += m.GetCounter().GetValue()
			case "readout_pack_rows_total":
				kind, _, _ := strings.Cut(m.GetLabel()[0].GetValue(), "_")
				bytes += m.GetCounter().GetValue() * rowSizes[kind]
			}
		}
	}
	if bytes == 0 {
		return 0, fmt.Errorf("the packer counts nothing")
	}
	return bytes, nil
}

// slowFleet is a fleet whose gauges do not send together: each has a second of the ten minutes for its own.
type slowFleet struct {
	*fleet
	byMinute [][]int // gauges that send in each of the ten minutes
	second   []int64 // of each gauge, in its minute
	minute   int     // made so far
	sent     int
}

func newSlowFleet(series int) *slowFleet {
	f := &slowFleet{fleet: newFleet(series, slowEvery, false), byMinute: make([][]int, int(slowEvery/time.Minute)), second: make([]int64, series)}
	random := rand.New(rand.NewPCG(5, 6))
	for i := range series {
		m := random.IntN(len(f.byMinute))
		f.byMinute[m] = append(f.byMinute[m], i)
		f.second[i] = random.Int64N(60)
	}
	return f
}

// moment is a moment after the last minute made when the day that it was of is over.
func (f *slowFleet) moment() time.Time {
	return start.Add(time.Duration(f.minute)*time.Minute + 2*time.Hour)
}

// day appends the readings of a day, in entries of a minute's, and packs them every minute.
func (f *slowFleet) day(ctx context.Context, e *engine, p *pack.Packer) error {
	for range minutes {
		at := start.Add(time.Duration(f.minute) * time.Minute).UnixMicro()
		senders := f.byMinute[f.minute%len(f.byMinute)]
		f.minute++
		for part := range slices.Chunk(senders, 20_000) {
			e.buffer = e.buffer[:0]
			for _, i := range part {
				e.buffer = f.one(e.buffer, i, at+f.second[i]*time.Second.Microseconds())
			}
			if err := e.append(ctx, e.buffer); err != nil {
				return err
			}
			f.sent += len(part)
		}
		if err := p.Pack(ctx, e.project); err != nil {
			return err
		}
		if err := f.vacuum(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// vacuum does every hour of the fleet's time what autovacuum would do. That looks once a minute whether there is something to
// do: here, where a day passes in a minute, all rows of a day that were merged would keep their room.
func (f *slowFleet) vacuum(ctx context.Context, e *engine) error {
	if f.minute%60 != 0 {
		return nil
	}
	_, err := e.pool.Exec(ctx, `vacuum young, latest`)
	return err
}
