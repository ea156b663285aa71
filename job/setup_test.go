package job_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/job"
	"github.com/readout-dev/readout/store"
)

// greet is a job of the tests.
type greet struct {
	Account int64 `json:"account"`
}

func (greet) Kind() string { return "greet" }

// bulky has arguments that are too large.
type bulky struct {
	Text string `json:"text"`
}

func (bulky) Kind() string { return "bulky" }

type setup struct {
	pool   *pgxpool.Pool
	client *db.Client
	done   chan int64 // accounts that were greeted
}

func prepare(t *testing.T) *setup {
	t.Helper()
	pool := testdb.New(t)
	client := store.Client(pool)
	t.Cleanup(func() { _ = client.Close() })
	return &setup{pool, client, make(chan int64, 100)}
}

// queue returns a queue that greets by work, or tells done when it is nil.
func (s *setup) queue(t *testing.T, cfg job.Config, work func(context.Context, *river.Job[greet]) error) *job.Queue {
	t.Helper()
	if work == nil {
		work = func(_ context.Context, j *river.Job[greet]) error {
			s.done <- j.Args.Account
			return nil
		}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(work))
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[bulky]) error { return nil }))
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if cfg.Poll == 0 {
		cfg.Poll = 50 * time.Millisecond
	}
	q, err := job.New(s.pool, workers, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// run runs q and returns what ends it and returns Run's error; the test's end does so too.
func run(t *testing.T, q *job.Queue) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- q.Run(ctx) }()
	var err error
	ended := false
	end = func() error {
		cancel()
		if !ended {
			err, ended = <-result, true
		}
		return err
	}
	t.Cleanup(func() { _ = end() })
	return end
}

// add adds jobs in one transaction, which end ends.
func (s *setup) add(t *testing.T, q *job.Queue, end func(*db.Tx) error, accounts ...int64) {
	t.Helper()
	tx, err := s.client.Tx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if err := q.Add(t.Context(), tx, greet{a}); err != nil {
			t.Fatal(err)
		}
	}
	if err := end(tx); err != nil {
		t.Fatal(err)
	}
}

// next waits for the next greeting.
func (s *setup) next(t *testing.T) int64 {
	t.Helper()
	select {
	case a := <-s.done:
		return a
	case <-time.After(30 * time.Second):
		t.Fatal("no job is done")
		return 0
	}
}

// listening waits until a queue hears of what is added: to river_control it listens last.
func (s *setup) listening(t *testing.T) {
	t.Helper()
	s.until(t, `select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN %river_control%'`)
}

// until asks until the answer is not 0.
func (s *setup) until(t *testing.T, query string) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 20*time.Second; {
		var n int
		if err := s.pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
	t.Fatalf("still 0: %s", query)
}
