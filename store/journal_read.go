package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Entry is an entry of a project's journal as it is stored.
type Entry struct {
	Offset  int64
	At      time.Time // UTC, in microseconds
	Kind    int16
	Count   int // readings or events in the payload
	Payload []byte
}

// ReadEntries returns entries of project's journal behind the offset after, in order: at most maxEntries, and as many as
// fit into maxBytes of payload, but always one if there is one. Errors are PostgreSQL's own; see Fault.
func ReadEntries(
	ctx context.Context, pool *pgxpool.Pool, project, after int64, maxEntries, maxBytes int,
) ([]Entry, error) {
	// octet_length of a payload stored out of line is read from its pointer: what is left out is not fetched.
	const read = `
		select "offset", at, kind, count, payload
		from (
			select *, sum(octet_length(payload)) over (order by "offset") - octet_length(payload) as before
			from (
				select "offset", at, kind, count, payload from journal
				where project_id = $1 and "offset" > $2
				order by "offset" limit $3
			) page
		) sized
		where before < $4
		order by "offset"`
	rows, err := pool.Query(ctx, read, project, after, maxEntries, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("read the journal of project %d: %w", project, err)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read the journal of project %d: %w", project, err)
	}
	return entries, nil
}

func scanEntry(row pgx.CollectableRow) (e Entry, err error) {
	err = row.Scan(&e.Offset, &e.At, &e.Kind, &e.Count, &e.Payload)
	e.At = e.At.UTC()
	return e, err
}

// CommittedAt returns when the entry at an offset of project's journal was written, UTC in microseconds; zero when the journal
// does not hold it. It is one statement. Errors are PostgreSQL's own; see Fault.
func CommittedAt(ctx context.Context, pool *pgxpool.Pool, project, offset int64) (time.Time, error) {
	const read = `select at from journal where project_id = $1 and "offset" = $2`
	var at time.Time
	err := pool.QueryRow(ctx, read, project, offset).Scan(&at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read when entry %d of project %d was written: %w", offset, project, err)
	}
	return at.UTC(), nil
}

// JournalHead says how far the journal of a project is.
type JournalHead struct {
	Project  int64
	Head     int64 // offset of the last entry
	PackedTo int64 // the entries up to this offset are packed
}

// Heads returns the heads of the journals of projects, in no order; a project has none when nothing was ever appended, or
// when it does not exist. It is one statement. Errors are PostgreSQL's own; see Fault.
func Heads(ctx context.Context, pool *pgxpool.Pool, projects []int64) ([]JournalHead, error) {
	const read = `
		select project_id, h.head, coalesce(p.packed_to, 0)
		from journal_head h left join packing p using (project_id)
		where project_id = any ($1)`
	rows, err := pool.Query(ctx, read, projects)
	if err != nil {
		return nil, fmt.Errorf("read the heads of journals: %w", err)
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[JournalHead])
	if err != nil {
		return nil, fmt.Errorf("read the heads of journals: %w", err)
	}
	return heads, nil
}

// Head returns the offset of the last entry of project's journal and the offset up to which it is packed; both are 0 for
// a project that has no journal, because nothing was ever appended or because it does not exist. Errors are
// PostgreSQL's own; see Fault.
func Head(ctx context.Context, pool *pgxpool.Pool, project int64) (head, packedTo int64, err error) {
	heads, err := Heads(ctx, pool, []int64{project})
	if err != nil || len(heads) == 0 {
		return 0, 0, err
	}
	return heads[0].Head, heads[0].PackedTo, nil
}
