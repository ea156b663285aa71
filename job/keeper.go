package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/store"
)

// keeper sees to what River leaves to the leader of all its clients: to try jobs again, to rescue those of the dead, to throw
// away rows. A leader takes nearly a statement a second for as long as it is there. So there is one only while some job needs
// it, and for a minute at the start and in each hour. Which of the replicas' keepers leads is River's business.
type keeper struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx] // stands for election while it runs, and does no jobs
	look   time.Duration
	log    *slog.Logger
	every  []Periodic
	failed chan struct{} // told of each try that has failed

	// Of run's goroutine.
	leading bool
	until   time.Time   // not to be stopped before
	tidy    time.Time   // when to lead though nothing needs it
	due     []time.Time // of every
}

const (
	term      = time.Minute // how long it leads at least: each of the leader's chores has had its turn then
	tidyEvery = time.Hour   // from one tidying up to the next
)

// fail is called from any goroutine.
func (k *keeper) fail() {
	select {
	case k.failed <- struct{}{}:
	default: // it is told already
	}
}

// run keeps until ctx ends, and then stops leading.
func (k *keeper) run(ctx context.Context) error {
	tick := time.NewTicker(k.look)
	defer tick.Stop()
	k.due = make([]time.Time, len(k.every))
	for {
		if err := k.keep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			k.log.WarnContext(ctx, "jobs may wait for longer", "error", err)
		}
		select {
		case <-ctx.Done():
			return k.resign(context.WithoutCancel(ctx))
		case <-tick.C:
		case <-k.failed:
		}
	}
}

// keep does what is to be done at now; what it cannot is done the next time.
func (k *keeper) keep(ctx context.Context, now time.Time) error {
	if err := k.enqueue(ctx, now); err != nil {
		return err
	}
	if now.Before(k.until) {
		return nil
	}
	need, err := store.JobsNeedLeader(ctx, k.pool)
	switch {
	case err != nil:
		return err
	case !need && now.Before(k.tidy):
		return k.resign(ctx)
	}
	return k.lead(ctx, now)
}

// lead stands for election, if it does not yet, for a term.
func (k *keeper) lead(ctx context.Context, now time.Time) error {
	if !k.leading {
		if err := k.client.Start(context.WithoutCancel(ctx)); err != nil {
			return store.Fault(fmt.Errorf("stand for election: %w", err))
		}
		k.leading = true
	}
	k.until = now.Add(term)
	if !now.Before(k.tidy) {
		k.tidy = now.Add(tidyEvery)
	}
	return nil
}

func (k *keeper) resign(ctx context.Context) error {
	if !k.leading {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, killed)
	defer cancel()
	if err := k.client.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("end leading: %w", err)
	}
	k.leading = false
	return nil
}

// enqueue adds the periodic jobs that are due. Replicas do so each on its own; of what they add in one period, one stays.
func (k *keeper) enqueue(ctx context.Context, now time.Time) error {
	for i, p := range k.every {
		if now.Before(k.due[i]) {
			continue
		}
		_, err := k.client.Insert(ctx, p.Args, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: p.Every}})
		if err != nil {
			return store.Fault(fmt.Errorf("add the periodic job %s: %w", p.Args.Kind(), err))
		}
		k.due[i] = now.Truncate(p.Every).Add(p.Every)
	}
	return nil
}
