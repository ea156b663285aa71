package verify

import (
	"context"
	"errors"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// chunkCheck looks at the chunks of one series after the other.
type chunkCheck struct {
	*report
	in    *store.Inspection
	blind *blindness
	buf   []reading.Reading
}

// of calls use with the readings of each chunk of series, which are those of the next chunks, in order of time. Chunks that
// overlap are given as if they did not.
func (c *chunkCheck) of(ctx context.Context, series int64, use func(rs []reading.Reading)) error {
	var before *store.ChunkKey
	for {
		row, err := c.in.Chunks.Peek(ctx)
		if err != nil || row == nil || row.Series != series {
			return err
		}
		chunk := *row
		c.in.Chunks.Next()
		if before != nil && chunk.First <= before.Last {
			c.add("chunk", chunkKey(chunk.ChunkKey), "the chunk overlaps the one before it", "behind "+at(before.Last), at(chunk.First))
		}
		before = &chunk.ChunkKey
		if rs := c.decode(chunk); len(rs) > 0 {
			use(rs)
		}
		if err := c.read(len(chunk.Payload)); err != nil {
			return err
		}
	}
}

// decode returns the readings of a chunk, compared with its row; none when they cannot be read.
func (c *chunkCheck) decode(chunk store.InspectedChunk) []reading.Reading {
	rs, err := reading.Decode(c.buf[:0], chunk.Payload)
	c.buf = rs
	switch {
	case err == nil && len(rs) == 0:
		err = errors.New("no readings")
	case err == nil && !ascending(rs):
		err = errors.New("readings out of order")
	case err == nil && (rs[0].Series != chunk.Series || rs[len(rs)-1].Series != chunk.Series):
		err = errors.New("readings of another series")
	}
	key := chunkKey(chunk.ChunkKey)
	if err != nil {
		c.add("chunk", key, "the chunk cannot be read", "its readings", err.Error())
		c.blind.add(chunk.Series, chunk.Series, chunk.First, chunk.Last+1)
		return nil
	}
	first, last := rs[0].Time, rs[len(rs)-1].Time
	if chunk.Count != len(rs) {
		c.add("chunk", key, "the chunk has another count", number(len(rs)), number(chunk.Count))
	}
	if chunk.First != first {
		c.add("chunk", key, "the chunk begins at another time", at(first), at(chunk.First))
	}
	if chunk.Last != last {
		c.add("chunk", key, "the chunk ends at another time", at(last), at(chunk.Last))
	}
	if month(first) != month(last) {
		c.add("chunk", key, "the chunk crosses a month", month(first).Format("2006-01"), span(first, last))
	}
	return rs
}

func month(t int64) time.Time {
	y, m, _ := time.UnixMicro(t).UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

func chunkKey(c store.ChunkKey) string {
	return keyf("series %d, first_time %s", c.Series, at(c.First))
}
