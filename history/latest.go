package history

import (
	"context"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// Latest returns the newest reading of each of the series that has one, in the order of series. It is in memory, but for
// series whose newest reading was deleted since somebody last asked.
func (r *Reader) Latest(ctx context.Context, project int64, series []int64) ([]reading.Reading, error) {
	if err := r.follower.Follow(ctx, project); err != nil {
		return nil, err
	}
	found := make([]reading.Reading, 0, len(series))
	for _, s := range series {
		newest, state := r.tail.Latest(project, s)
		some := state == tail.Known
		if state == tail.Unknown {
			var err error
			if newest, some, err = r.findLatest(ctx, project, s); err != nil {
				return nil, err
			}
		}
		if some {
			found = append(found, newest)
		}
	}
	return found, nil
}

// findLatest reads a series backwards until there is a reading, and tells the tail.
func (r *Reader) findLatest(ctx context.Context, project, series int64) (newest reading.Reading, some bool, err error) {
	q := query{project: project, series: []int64{series}, to: forever, max: r.cfg.MaxReadings}
	offset := int64(-1) // of the first look: what has changed since then, the tail knows better
	for rows, more := 1, true; more && !some; rows = min(2*rows, 1000) {
		if q.from, more, err = r.packedBefore(ctx, project, series, q.to, rows); err != nil {
			return reading.Reading{}, false, err
		}
		if !more {
			q.from = -forever
		}
		found, err := r.whole(ctx, q)
		if err != nil {
			return reading.Reading{}, false, err
		}
		if offset < 0 {
			offset = found.offset
		}
		if n := len(found.series[0]); n > 0 {
			newest, some = found.series[0][n-1], true
		}
		q.to = q.from
	}
	r.tail.Resolve(project, series, newest, some, offset)
	return newest, some, nil
}

// packedBefore is store.PackedBefore when it is our turn.
func (r *Reader) packedBefore(ctx context.Context, project, series, before int64, rows int) (from int64, more bool, err error) {
	done, err := r.turn(ctx)
	if err != nil {
		return 0, false, err
	}
	defer done()
	from, more, err = store.PackedBefore(ctx, r.pool, project, series, before, rows)
	return from, more, store.Fault(err)
}
