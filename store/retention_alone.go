package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// KeepAlone calls fn while this process is the only one that does; done says whether, or another one was at it. It holds a
// connection of the pool meanwhile. It returns fn's error as it is, and faults of its own as Fault does.
func KeepAlone(ctx context.Context, pool *pgxpool.Pool, fn func() error) (done bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, Fault(fmt.Errorf("acquire a connection: %w", err))
	}
	defer conn.Release()
	row := conn.QueryRow(ctx, `select pg_try_advisory_lock($1, $2)`, lockSpace, lockRetention)
	if err := row.Scan(&done); err != nil || !done {
		return false, Fault(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `select pg_advisory_unlock($1, $2)`, lockSpace, lockRetention); err != nil {
			_ = conn.Conn().Close(ctx) // the lock ends with the session
		}
	}()
	return true, fn()
}

// Clock returns the time of the database server, UTC. Faults: as Fault.
func Clock(ctx context.Context, pool *pgxpool.Pool) (now time.Time, err error) {
	if err := pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&now); err != nil {
		return now, Fault(fmt.Errorf("read the clock: %w", err))
	}
	return now.UTC(), nil
}
