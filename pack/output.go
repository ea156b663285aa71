package pack

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// Bounds of what output holds before it writes.
const (
	pieceBytes = 4 << 20 // of payloads and sketches
	pieceRows  = 8192
)

// output writes chunks and rollups in pieces, within one transaction. Of each piece the rows that it replaces go first: the
// new ones may have the same keys.
type output struct {
	tx      pgx.Tx
	project int64
	metrics *metrics

	chunks   []store.ChunkRow
	replaced []store.ChunkKey
	rolled   []store.SeriesDay // whose rollups are written anew
	days     []store.Rollup
	hours    []store.Rollup
	payloads []byte
	sketches int // bytes
}

func (o *output) begin(tx pgx.Tx, project int64) {
	*o = output{
		tx: tx, project: project, metrics: o.metrics, chunks: o.chunks[:0], replaced: o.replaced[:0], rolled: o.rolled[:0],
		days: o.days[:0], hours: o.hours[:0], payloads: o.payloads[:0],
	}
}

// chunk writes readings of one series as a chunk.
func (o *output) chunk(ctx context.Context, rs []reading.Reading) error {
	if cap(o.payloads) == 0 {
		o.payloads = make([]byte, 0, pieceBytes+pieceBytes/4)
	}
	start := len(o.payloads)
	o.payloads = reading.Compact(o.payloads, rs)
	o.chunks = append(o.chunks, store.ChunkRow{
		Series: rs[0].Series, First: rs[0].Time, Last: rs[len(rs)-1].Time, Count: len(rs),
		Payload: o.payloads[start:len(o.payloads):len(o.payloads)],
	})
	return o.flushFull(ctx)
}

// replace deletes a chunk.
func (o *output) replace(key store.ChunkKey) { o.replaced = append(o.replaced, key) }

// rollups writes the rollups of a day in the place of those that it has; none when it has no readings any more.
func (o *output) rollups(ctx context.Context, day store.Rollup, hours []store.Rollup) error {
	o.rolled = append(o.rolled, store.SeriesDay{Series: day.Series, Start: day.Start})
	if day.Count > 0 {
		o.days, o.hours = append(o.days, day), append(o.hours, hours...)
		o.sketches += len(day.Sketch)
		for i := range hours {
			o.sketches += len(hours[i].Sketch)
		}
	}
	return o.flushFull(ctx)
}

func (o *output) flushFull(ctx context.Context) error {
	if len(o.payloads)+o.sketches < pieceBytes && max(len(o.chunks), len(o.replaced), len(o.rolled), len(o.hours)) < pieceRows {
		return nil
	}
	return o.flush(ctx)
}

// flush writes all that is left.
func (o *output) flush(ctx context.Context) error {
	if err := store.DropChunks(ctx, o.tx, o.project, o.replaced); err != nil {
		return err
	}
	if err := store.CopyChunks(ctx, o.tx, o.project, o.chunks); err != nil {
		return err
	}
	if err := store.DropRollups(ctx, o.tx, o.project, o.rolled); err != nil {
		return err
	}
	if err := store.CopyRollups(ctx, o.tx, o.project, o.days, o.hours); err != nil {
		return err
	}
	o.metrics.wroteChunks(o)
	clear(o.chunks)
	clear(o.days)
	clear(o.hours)
	o.begin(o.tx, o.project)
	return nil
}

// load appends the readings of a chunk to dst.
func (o *output) load(ctx context.Context, dst []reading.Reading, key store.ChunkKey) ([]reading.Reading, error) {
	err := store.ReadChunks(ctx, o.tx, o.project, []store.ChunkKey{key}, func(_ int, payload []byte) (err error) {
		dst, err = decodeChunk(dst, key, payload)
		return err
	})
	return dst, err
}

// decodeChunk appends the readings of a chunk to dst.
func decodeChunk(dst []reading.Reading, key store.ChunkKey, payload []byte) ([]reading.Reading, error) {
	had := len(dst)
	dst, err := reading.Decode(dst, payload)
	if err == nil && len(dst)-had != key.Count {
		err = fmt.Errorf("it holds %d readings instead of %d", len(dst)-had, key.Count)
	}
	if err == nil && (dst[had].Series != key.Series || dst[len(dst)-1].Series != key.Series) {
		err = fmt.Errorf("it does not hold series %d alone", key.Series)
	}
	if err != nil {
		return dst[:had], fmt.Errorf("decode the chunk of series %d at %d: %w", key.Series, key.First, err)
	}
	return dst, nil
}
