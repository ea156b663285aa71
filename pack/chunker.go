package pack

import (
	"context"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// chunker cuts the readings of one series into chunks, between those that it has already. What it gets comes in order of
// time: readings to be written, and chunks that may stay.
//
// A chunk stays as it is unless it is small and lies beside readings that are written, or they are too few for a chunk
// without it.
type chunker struct {
	out     *output
	sizes   Sizes
	series  int64
	pending []reading.Reading // to be written
	small   *store.ChunkKey   // the chunk right before pending, which is empty: it stays unless something comes to it
}

func (c *chunker) begin(series int64) {
	c.series, c.pending, c.small = series, c.pending[:0], nil
}

// add takes the next readings to be written.
func (c *chunker) add(ctx context.Context, rs []reading.Reading) error {
	if len(rs) == 0 {
		return nil
	}
	if c.small != nil {
		before := *c.small
		c.small = nil
		if err := c.absorb(ctx, before); err != nil {
			return err
		}
	}
	c.pending = append(c.pending, rs...)
	rest := c.pending
	for len(rest) >= 2*c.sizes.Chunk {
		if err := c.out.chunk(ctx, rest[:c.sizes.Chunk]); err != nil {
			return err
		}
		rest = rest[c.sizes.Chunk:]
	}
	c.pending = c.pending[:copy(c.pending, rest)]
	return nil
}

// keep takes the next chunk, which nothing was added to.
func (c *chunker) keep(ctx context.Context, key store.ChunkKey) error {
	if n := len(c.pending); n > 0 && n < c.sizes.few() {
		return c.absorb(ctx, key)
	}
	if err := c.finish(ctx); err != nil {
		return err
	}
	if key.Count < c.sizes.few() {
		c.small = &key
	}
	return nil
}

// absorb makes the readings of a chunk pending ones.
func (c *chunker) absorb(ctx context.Context, key store.ChunkKey) (err error) {
	c.pending, err = c.out.load(ctx, c.pending, key)
	if err == nil {
		c.out.replace(key)
	}
	return err
}

// finish writes what is pending.
func (c *chunker) finish(ctx context.Context) error {
	rs := c.pending
	c.pending, c.small = c.pending[:0], nil
	if len(rs) > c.sizes.Chunk+c.sizes.few() {
		half := len(rs) / 2
		if err := c.out.chunk(ctx, rs[:half]); err != nil {
			return err
		}
		rs = rs[half:]
	}
	if len(rs) == 0 {
		return nil
	}
	return c.out.chunk(ctx, rs)
}
