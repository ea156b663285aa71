package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// patience is for a strong lock on a table that is in use. Whoever needs the table waits behind us while we wait for
// the lock: so each wait is short, and there are many.
type patience struct {
	wait  time.Duration // for a lock
	pause time.Duration // between tries, in which those who waited behind us go on
	tries int
}

var (
	// making a partition is urgent, since readings wait for it.
	making = patience{wait: 500 * time.Millisecond, pause: 200 * time.Millisecond, tries: 30}
	// dropping is not: what is left is dropped an hour later.
	dropping = patience{wait: 100 * time.Millisecond, pause: 500 * time.Millisecond, tries: 5}
)

// maintainPatiently is MaintainAwake on a connection that waits for locks as p says.
func maintainPatiently(ctx context.Context, pool *pgxpool.Pool, p patience, fn func(conn *pgx.Conn) error) error {
	return MaintainAwake(ctx, pool, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `set lock_timeout = `+milliseconds(p.wait)); err != nil {
			return Fault(fmt.Errorf("bound the waits for locks: %w", err))
		}
		defer func() {
			// MaintainAwake closes the connection if this cannot be done.
			_, _ = conn.Exec(context.WithoutCancel(ctx), `reset lock_timeout`)
		}()
		return fn(conn)
	})
}

// do calls fn, again while it cannot get a lock in time.
func (p patience) do(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == p.tries || !isLockTimeout(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(p.pause):
		}
	}
}
