package ingest_test

import (
	"math"
	"testing"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// Whoever deletes a series, in whatever process, says so by a deletion of all its readings.
func TestRegistryMakesASeriesAnewThatWasDeletedElsewhere(t *testing.T) {
	t.Parallel()
	d := setup(t)
	registry := ingest.NewRegistry(d.pool)
	resolve := func() int64 {
		t.Helper()
		batch := &reading.Batch{Series: []reading.Series{{Device: "boiler", Metric: "heat", Labels: "{}"}}, Items: []int{0}}
		ids, err := registry.Resolve(t.Context(), &auth.Principal{Project: d.project}, batch)
		if err != nil || len(ids) != 1 {
			t.Fatalf("resolve: %v, %v", ids, err)
		}
		return ids[0]
	}
	first := resolve()
	if _, err := d.pool.Exec(t.Context(), `delete from series where id = $1`, first); err != nil {
		t.Fatal(err)
	}
	part := reading.Deletion{Series: first, From: math.MinInt64, To: 5}
	registry.Apply(journal.Entry{Project: d.project, Offset: 1, Deletions: []reading.Deletion{part}})
	if again := resolve(); again != first {
		t.Errorf("series %d became %d when some of its readings were deleted", first, again)
	}
	registry.Apply(journal.Entry{Project: d.project, Offset: 2, Deletions: []reading.Deletion{part, reading.DeleteAll(first)}})
	if again := resolve(); again == first {
		t.Error("a series that was deleted is still known")
	}
}
