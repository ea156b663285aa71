package store_test

import (
	"testing"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// BenchmarkPutLatest writes the latest readings of 10,000 series: what has changed in seconds of a busy fleet, and the
// same news again, as a second process has it.
func BenchmarkPutLatest(b *testing.B) {
	const series = 10_000
	rows := make([]store.Newest, series)
	news := func(offset int64) []store.Newest {
		for i := range rows {
			rows[i] = store.Newest{Project: 1, Series: int64(i), Offset: offset, Time: offset, Value: float64(offset)}
		}
		return rows
	}
	f := func(name string, step int64) {
		b.Run(name, func(b *testing.B) {
			pool := testdb.New(b)
			offset := int64(1)
			for b.Loop() {
				if err := store.PutLatest(b.Context(), pool, news(offset)); err != nil {
					b.Fatal(err)
				}
				offset += step
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/series, "µs/row")
		})
	}
	f("changed", 1)
	f("known", 0)
}
