package history

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/tail"
)

// Newest is Latest at exactly one offset of the project's journal: with all entries up to it and nothing of later ones. The
// answer has the order of series; none of it is tail.Unknown.
func (r *Reader) Newest(ctx context.Context, project int64, series []int64) (offset int64, newest []tail.Newest, err error) {
	for range attempts {
		if err := r.follower.Follow(ctx, project); err != nil {
			return 0, nil, err
		}
		offset, newest = r.tail.Newest(project, series)
		missing := unknownOf(series, newest)
		if len(missing) == 0 {
			return offset, newest, nil
		}
		for _, s := range missing {
			if _, _, err := r.findLatest(ctx, project, s); err != nil { // which tells the tail
				return 0, nil, err
			}
		}
	}
	return 0, nil, fault.New(fault.Unavailable, "this project changes faster than it can be read: try again").After(time.Second)
}

// unknownOf returns the series whose newest reading has to be looked for.
func unknownOf(series []int64, newest []tail.Newest) (missing []int64) {
	for i, n := range newest {
		if n.State == tail.Unknown {
			missing = append(missing, series[i])
		}
	}
	return missing
}
