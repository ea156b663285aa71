package job

import (
	"context"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/internal/testdb"
)

type nothing struct{}

func (nothing) Kind() string { return "nothing" }

func TestKeeperLeadsOnlyWhileAJobNeedsIt(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, _ *river.Job[nothing]) error { return nil }))
	q, err := New(pool, workers, Config{})
	if err != nil {
		t.Fatal(err)
	}
	k := q.keeper
	t.Cleanup(func() { _ = k.resign(context.WithoutCancel(t.Context())) })
	start := time.Now()
	keep := func(after time.Duration, want bool) {
		t.Helper()
		if err := k.keep(t.Context(), start.Add(after)); err != nil || k.leading != want {
			t.Errorf("after %s it leads: %t (%v), want %t", after, k.leading, err, want)
		}
	}
	keep(0, true) // to tidy up
	keep(term-time.Second, true)
	keep(term+time.Second, false)
	if _, err := k.client.Insert(t.Context(), nothing{}, &river.InsertOpts{ScheduledAt: start.Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	keep(2*term, true)
	keep(4*term, true)
	if _, err := pool.Exec(t.Context(), `delete from river_job`); err != nil {
		t.Fatal(err)
	}
	keep(4*term+time.Second, true)
	keep(6*term, false)
	keep(tidyEvery+time.Second, true)
	keep(tidyEvery+2*term, false)
}
