package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// MaxNotice is the longest notice in bytes; PostgreSQL takes 7,999.
const MaxNotice = 7000

const (
	noticeChannel = "readout"
	listenerName  = "readout replica " // and its id: the application_name by which listeners know of each other
)

// Listener is a connection of its own that hears the notices of the processes on its database. It belongs to one
// goroutine.
type Listener struct{ conn *pgx.Conn }

// Listen connects to the database of pool, beside the pool, and listens under the name id, of 40 letters at most. Whatever
// is sent from then on is heard. The caller closes it. Errors are PostgreSQL's own; see Fault.
func Listen(ctx context.Context, pool *pgxpool.Pool, id string) (*Listener, error) {
	cfg := pool.Config().ConnConfig.Copy()
	cfg.RuntimeParams["application_name"] = listenerName + id
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	if _, err := conn.Exec(ctx, `listen `+noticeChannel); err != nil {
		_ = conn.Close(ctx)
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &Listener{conn}, nil
}

// Next waits for the next notice, and returns an error when the connection breaks or ctx ends.
func (l *Listener) Next(ctx context.Context) (string, error) {
	n, err := l.conn.WaitForNotification(ctx)
	if err != nil {
		return "", fmt.Errorf("wait for a notice: %w", err)
	}
	return n.Payload, nil
}

// Close ends the connection, in a second at most; it does not matter whether ctx has ended.
func (l *Listener) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx)
}

// Listeners returns the ids of those that listen on the database of pool. Errors are PostgreSQL's own; see Fault.
func Listeners(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, `select application_name from pg_stat_activity
		where datname = current_database() and starts_with(application_name, $1)`, listenerName)
	if err != nil {
		return nil, fmt.Errorf("list who listens: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list who listens: %w", err)
	}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, listenerName)
	}
	return names, nil
}

// Notify sends notices, of MaxNotice bytes at most, to all who listen on the database of pool, the sender's own listener
// too. Errors are PostgreSQL's own; see Fault.
//
// A notice takes a lock of the whole server that is held until the commit has reached the disk: in a transaction that
// waits for that, all commits with a notice would queue. So this one does not wait; there is nothing in it to lose.
func Notify(ctx context.Context, pool *pgxpool.Pool, notices ...string) error {
	const notify = `
		with quick as materialized (select set_config('synchronous_commit', 'off', true))
		select pg_notify($1, notice) from quick, unnest($2::text[]) as notice`
	if _, err := pool.Exec(ctx, notify, noticeChannel, notices); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}
