package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// WaitingJobs returns how many jobs are not done, those that run among them. Faults: as Fault.
func WaitingJobs(ctx context.Context, pool *pgxpool.Pool) (n int64, err error) {
	const query = `select count(*) from river_job where state in ('available', 'pending', 'retryable', 'running', 'scheduled')`
	if err := pool.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, Fault(fmt.Errorf("count the jobs that wait: %w", err))
	}
	return n, nil
}

// JobsNeedLeader reports whether there are jobs that only River's leader brings further: those that are tried again, or later,
// and those that run in a process which may have died. Faults: as Fault.
func JobsNeedLeader(ctx context.Context, pool *pgxpool.Pool) (need bool, err error) {
	const query = `select exists (select from river_job where state in ('retryable', 'running', 'scheduled'))`
	if err := pool.QueryRow(ctx, query).Scan(&need); err != nil {
		return false, Fault(fmt.Errorf("look for jobs that need a leader: %w", err))
	}
	return need, nil
}
