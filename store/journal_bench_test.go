package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// BenchmarkAppendEntries measures one flush to so many projects. The reference is what the server takes for the least
// durable commit, one row into a table without an index, measured in the same run.
func BenchmarkAppendEntries(b *testing.B) {
	for _, projects := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("%d projects", projects), func(b *testing.B) {
			pool := testdb.New(b)
			var ids []int64
			for range projects {
				ids = append(ids, newProject(b, pool))
			}
			if _, err := pool.Exec(b.Context(), `create table reference (id int)`); err != nil {
				b.Fatal(err)
			}
			var reference, ours time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := pool.Exec(b.Context(), `insert into reference values (1)`); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if _, err := store.AppendEntries(b.Context(), pool, uuid.New(), pendings(ids)); err != nil {
					b.Fatal(err)
				}
				reference += between.Sub(start)
				ours += time.Since(between)
			}
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs/flush")
			b.ReportMetric(float64(reference.Microseconds())/float64(b.N), "µs/reference")
			b.ReportMetric(float64(ours)/float64(reference), "x-reference")
			b.ReportMetric(float64(projects*b.N)/ours.Seconds(), "entries/s")
		})
	}
}
