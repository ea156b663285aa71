package history

import (
	"context"

	"github.com/readout-dev/readout/reading"
)

// MinMaxOfMany is MinMax as if the readings were many.
func (r *Reader) MinMaxOfMany(ctx context.Context, project, series, from, to int64, n int) ([]reading.Reading, error) {
	kept, _, err := r.minMax(ctx, query{project: project, series: []int64{series}, from: from, to: to, max: r.cfg.MaxReadings}, n, -1)
	return kept, err
}
