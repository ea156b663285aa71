package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/store"
)

// Config of a queue; its zero value is right for a server.
type Config struct {
	Log     *slog.Logger          // told of jobs that fail, without their arguments; nil = nobody
	Metrics prometheus.Registerer // nil = not measured
	Every   []Periodic            // jobs that nobody adds

	Workers int           // jobs at once in this process; 0 = 2
	Timeout time.Duration // how long one job may run; 0 = 1 minute
	Drain   time.Duration // how long jobs that run may go on when Run is told to end; 0 = 10 s
	Poll    time.Duration // how long a job waits at most when its notice is lost or its first retry is near; 0 = 1 minute
}

// Periodic is a job that comes by itself: once in each period, whichever replica adds it.
type Periodic struct {
	Every time.Duration // the period, counted from 0:00 UTC; the current one has its job at the start
	Args  river.JobArgs
}

// Queue adds jobs and does them. Safe for concurrent use.
type Queue struct {
	client *river.Client[pgx.Tx]
	keeper *keeper
	adding river.Config
	drain  time.Duration
}

// New returns a queue of what workers can do, in the database of pool; Run starts it. It fails for settings that contradict
// each other.
func New(pool *pgxpool.Pool, workers *river.Workers, cfg Config) (*Queue, error) {
	cfg = cfg.withDefaults()
	k := &keeper{pool: pool, look: cfg.Poll, log: cfg.Log, every: cfg.Every, failed: make(chan struct{}, 1)}
	client, err := river.NewClient(riverpgxv5.New(pool), cfg.worker(workers, newMetrics(cfg.Metrics, pool, k.fail)))
	if err != nil {
		return nil, fmt.Errorf("make the queue of jobs: %w", err)
	}
	k.client, err = river.NewClient(riverpgxv5.New(pool), cfg.leader(workers))
	if err != nil {
		return nil, fmt.Errorf("make the keeper of jobs: %w", err)
	}
	return &Queue{client: client, keeper: k, adding: *cfg.common(workers), drain: cfg.Drain}, nil
}

// Add inserts a job in the transaction tx of the entities: it is done once that has committed, and never if it rolls back.
// args must be of a kind that a worker was given for, and take at most MaxArgs bytes as JSON. For the goroutine that owns tx.
// Faults: as store.Fault.
func (q *Queue) Add(ctx context.Context, tx *db.Tx, args river.JobArgs) error {
	// A client of its own for each, which is cheap: one that has just sent a notice sends no second one, though the first
	// may belong to a transaction that rolls back or commits sooner, and then a job would wait for the next poll.
	client, err := river.NewClient(riverpgxv5.New(nil), &q.adding)
	if err == nil {
		err = store.Within(ctx, tx, func(tx pgx.Tx) error {
			_, err := client.InsertTx(ctx, tx, args, nil)
			return err
		})
	}
	if err != nil {
		return store.Fault(fmt.Errorf("add a job of kind %s: %w", args.Kind(), err))
	}
	return nil
}

// killed is how long jobs that were cancelled are waited for.
const killed = 5 * time.Second

// Run does jobs until ctx ends. Then it takes no new ones and waits for those that run: after Config.Drain their contexts
// end, and five seconds later it returns an error if some run still. What is not finished is done by another replica, or
// after the next start. Run it once. Faults: Unavailable when the database is away at the start; later it waits for it.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return store.Fault(fmt.Errorf("start the queue of jobs: %w", err))
	}
	err := q.keeper.run(ctx)
	ctx = context.WithoutCancel(ctx)
	return errors.Join(err, orElse(ctx, q.drain, q.client.Stop, func() error {
		return orElse(ctx, killed, q.client.StopAndCancel, func() error {
			return errors.New("jobs are running still, though their contexts have ended")
		})
	}))
}

// orElse calls stop and, when that is not done after patience, otherwise.
func orElse(ctx context.Context, patience time.Duration, stop func(context.Context) error, otherwise func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := stop(ctx); err != nil {
		return otherwise()
	}
	return nil
}
