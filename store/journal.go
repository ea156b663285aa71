package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pending is an entry on its way into a project's journal.
type Pending struct {
	Project int64
	Kind    int16 // what the payload holds; its meaning is the journal package's
	Count   int   // readings or events in the payload
	Payload []byte

	Names   int64 // the edition of the project's names that the payload's ids are of; 0 is any
	Renames bool  // it begins a new edition
}

// Placed says where an entry ended: its offset in its project's journal, and the server's clock when it was written. An
// offset of 0 says that it was not stored, since the project's names have another edition than Pending.Names by now.
type Placed struct {
	Project int64
	Offset  int64
	At      time.Time // UTC, in microseconds
}

// LostAppend is the error of an append whose answer was lost: it may have been committed, may yet be committed, or may
// have failed. FindFlush tells.
type LostAppend struct {
	Backend uint32 // the server process that has or had the statement
	Err     error
}

// Error tells what was lost and why.
func (e *LostAppend) Error() string {
	return "append to the journal, outcome unknown: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *LostAppend) Unwrap() error { return e.Err }

// AppendEntries gives each item the next offset of its project's journal and stores it; flush marks all of them. There
// must be at most one item for each project. When it returns without error every item is committed (durable as far as
// the server's synchronous_commit goes) but those of projects that do not exist: they have no Placed. The order of the
// answer is not that of the items.
//
// An error may come with items that were committed before it. Of the others none is, except when the error is a
// *LostAppend: then nothing is known of them until FindFlush says so. Other errors are PostgreSQL's own; see Fault,
// IsConnection and IsNoPartition. Safe for concurrent use, by any number of processes: in each project the order of
// offsets is the order of commits, without holes.
func AppendEntries(ctx context.Context, pool *pgxpool.Pool, flush uuid.UUID, items []Pending) ([]Placed, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	placed, err := appendOnce(ctx, conn.Conn(), flush, items)
	if err != nil || len(placed) == len(items) {
		return placed, err
	}
	rest := without(items, placed)
	if err := makeHeads(ctx, conn.Conn(), rest); err != nil {
		return placed, err
	}
	more, err := appendOnce(ctx, conn.Conn(), flush, rest)
	return append(placed, more...), err
}

// appendEntries is one statement, so one transaction without a round trip for BEGIN and COMMIT. The rows of the heads
// are locked in the order of their ids, which no other append can turn into a deadlock; they stay locked until the
// commit, so that the next offset of a project, and the clock of its entry, is only read when the one before is
// durable. NO KEY UPDATE is the weakest lock that excludes another append and a deletion.
const appendEntries = `
	with item as (
		select * from unnest($2::bigint[], $3::smallint[], $4::int[], $5::bytea[], $6::bigint[], $7::boolean[])
			as item (project_id, kind, count, payload, names, renames)
	), locked as materialized (
		select project_id, names from journal_head where project_id = any ($2) order by project_id for no key update
	), advanced as (
		update journal_head h set head = h.head + 1, names = h.names + item.renames::int
		from locked join item using (project_id)
		where h.project_id = locked.project_id and item.names in (0, locked.names)
		returning h.project_id, h.head
	), inserted as (
		insert into journal (project_id, "offset", at, flush_id, kind, count, payload)
		select advanced.project_id, advanced.head, clock_timestamp(), $1, item.kind, item.count, item.payload
		from advanced join item using (project_id)
		returning project_id, "offset", at
	)
	select project_id, "offset", at from inserted
	union all
	select project_id, 0, now() from locked join item using (project_id) where item.names not in (0, locked.names)`

// appendOnce appends the items whose projects have a head.
func appendOnce(ctx context.Context, conn *pgx.Conn, flush uuid.UUID, items []Pending) ([]Placed, error) {
	n := len(items)
	projects, kinds, counts, payloads := make([]int64, n), make([]int16, n), make([]int32, n), make([][]byte, n)
	names, renames := make([]int64, n), make([]bool, n)
	for i, item := range items {
		projects[i], kinds[i], counts[i], payloads[i] = item.Project, item.Kind, int32(item.Count), item.Payload
		names[i], renames[i] = item.Names, item.Renames
	}
	backend := conn.PgConn().PID()
	rows, err := conn.Query(ctx, appendEntries, [16]byte(flush), projects, kinds, counts, payloads, names, renames)
	if err == nil {
		var placed []Placed
		if placed, err = pgx.CollectRows(rows, scanPlaced); err == nil {
			return placed, nil
		}
	}
	if isRefused(err) {
		return nil, fmt.Errorf("append to the journal: %w", err)
	}
	return nil, &LostAppend{Backend: backend, Err: err}
}

// makeHeads makes the heads of those items' projects that exist. The lock waits for a deletion that is under way and
// sees it; without it the foreign key would fail.
func makeHeads(ctx context.Context, conn *pgx.Conn, items []Pending) error {
	projects := make([]int64, len(items))
	for i, item := range items {
		projects[i] = item.Project
	}
	const insert = `
		insert into journal_head (project_id)
		select id from projects where id = any ($1) order by id for key share
		on conflict do nothing`
	if _, err := conn.Exec(ctx, insert, projects); err != nil {
		return fmt.Errorf("make the heads of journals: %w", err)
	}
	return nil
}

// isRefused reports whether err proves that a statement that was its own transaction did not commit: nothing was sent,
// or the server says so itself and lives on. A backend that is ended (FATAL) may have committed before.
func isRefused(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.SeverityUnlocalized == "ERROR" && !IsConnection(err)
	}
	return pgconn.SafeToRetry(err)
}

// without returns the items that are not among the placed.
func without(items []Pending, placed []Placed) []Pending {
	done := make(map[int64]bool, len(placed))
	for _, p := range placed {
		done[p.Project] = true
	}
	var rest []Pending
	for _, item := range items {
		if !done[item.Project] {
			rest = append(rest, item)
		}
	}
	return rest
}

func scanPlaced(row pgx.CollectableRow) (p Placed, err error) {
	err = row.Scan(&p.Project, &p.Offset, &p.At)
	p.At = p.At.UTC()
	return p, err
}
